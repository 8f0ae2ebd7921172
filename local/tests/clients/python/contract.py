"""Whether what the server says of its contract is the contract as another compiler reads it: address, and
the folder of the contract."""

import pathlib
import sys
import tempfile

import grpc_tools
from google.protobuf import descriptor_pb2
from grpc_tools import protoc

from bank import Bank, same

address, folder = sys.argv[1:]
files = sorted(
    str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*.proto")
)
with tempfile.NamedTemporaryFile() as output:
    status = protoc.main(
        [
            "protoc",
            f"-I{folder}",
            # What Google's files are, the compiler knows by itself.
            f"-I{pathlib.Path(grpc_tools.__file__).with_name('_proto')}",
            f"--descriptor_set_out={output.name}",
            *files,
        ]
    )
    same(status, 0, "protoc")
    compiled = descriptor_pb2.FileDescriptorSet.FromString(output.read())
same(sorted(file.name for file in compiled.file), files)
database = Bank(address).database
for file in compiled.file:
    served = database.FindFileByName(file.name)
    same(served.HasField("source_code_info"), True, f"the comments of {file.name}")
    served.ClearField("source_code_info")
    if served != file:
        raise SystemExit(f"{file.name} is served as\n{served}\nand compiled to\n{file}")
