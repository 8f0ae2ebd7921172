//! Compiles the contract anew whenever it changes: nothing that is generated is kept, so that nothing
//! can be stale. The compiler is a crate too.

use std::{env, error::Error, fs, path::Path};

#[expect(
    clippy::disallowed_methods,
    reason = "no setting of the bank's: where cargo wants the output"
)]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=.");
    let folders = ["simplebank/v1", "google/rpc"];
    let mut files = Vec::new();
    for folder in folders {
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name().into_string().map_err(|_| "a name that is no text")?;
            files.push(format!("{folder}/{name}"));
        }
    }
    files.sort();
    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_imports(true).include_source_info(true).open_files(&files)?;
    let compiled = Path::new(&env::var("OUT_DIR")?).join("compiled.bin");
    fs::write(&compiled, compiler.encode_file_descriptor_set())?;
    connectrpc_build::Config::new()
        .descriptor_set(compiled)
        .files(&files)
        // It would have cargo look at the file that was just written, and so build this anew each time.
        .emit_rerun_directives(false)
        .include_file("_connectrpc.rs")
        .compile()?;
    Ok(())
}
