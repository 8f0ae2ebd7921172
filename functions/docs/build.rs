//! Takes the files of Swagger UI that the page needs out of the crate that carries them: cargo fetches and
//! pins them like any other dependency, and nothing minified is kept here.

use std::{
    env,
    error::Error,
    fs,
    io::{self, Cursor},
    path::Path,
};

use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

/// The folder in the archive. With another version of the crate, it has another name.
const FOLDER: &str = "swagger-ui-5.32.6";
/// What each file here is made of there.
const FILES: [(&str, &[&str]); 3] = [
    ("swagger-ui.js", &["dist/swagger-ui-bundle.js"]),
    ("swagger-ui.css", &["dist/swagger-ui.css"]),
    ("licence.txt", &["NOTICE", "LICENSE"]),
];

#[expect(
    clippy::disallowed_methods,
    reason = "no setting of the bank's: where cargo wants the output"
)]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    let output = env::var("OUT_DIR")?;
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    for (name, paths) in FILES {
        let mut file = fs::File::create(Path::new(&output).join(name))?;
        for path in paths {
            io::copy(&mut archive.by_name(&format!("{FOLDER}/{path}"))?, &mut file)?;
        }
    }
    Ok(())
}
