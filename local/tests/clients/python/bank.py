"""The bank as a client that is not ours finds it: grpcio, which is told an address and nothing else, and
learns by reflection what can be called."""

import grpc
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

SERVICE = "simplebank.v1.SimpleBank"
# How long a call may take that should succeed.
PATIENCE_S = 30


def same(found, expected, what=""):
    """Ends the program unless the two are equal."""
    if found != expected:
        raise SystemExit(f"{what}: found {found!r}, expected {expected!r}")


def metadata(call):
    """What came with an answer, before it and after it."""
    return dict([*(call.initial_metadata() or ()), *(call.trailing_metadata() or ())])


class Refusal(Exception):
    """An error of a call, with its details decoded."""

    def __init__(self, bank, error):
        self.code = error.code()
        self.message = error.details()
        self.metadata = metadata(error)
        self.details = {}
        rich = self.metadata.get("grpc-status-details-bin")
        if rich is not None:
            status = bank.status.FromString(rich)
            same(status.code, self.code.value[0], "the code in the details")
            same(status.message, self.message, "the message in the details")
            for detail in status.details:
                name = detail.type_url.rpartition("/")[2]
                self.details[name] = bank.message(name).FromString(detail.value)
        super().__init__(f"{self.code}: {self.message} {self.details}")

    @property
    def reason(self):
        """The bank's own code."""
        info = self.details["google.rpc.ErrorInfo"]
        same(info.domain, "simplebank.dev", "the domain")
        return info.reason

    @property
    def fields(self):
        """The fields that are wrong."""
        violations = self.details["google.rpc.BadRequest"].field_violations
        for violation in violations:
            same(bool(violation.description), True, violation.field)
        return [violation.field for violation in violations]


class Bank:
    """A connection, and the methods that reflection knows."""

    def __init__(self, address, agent="a-client/1"):
        self.channel = grpc.insecure_channel(address, [("grpc.primary_user_agent", agent)])
        self.database = ProtoReflectionDescriptorDatabase(self.channel)
        self.pool = descriptor_pool.DescriptorPool(self.database)
        self.service = self.pool.FindServiceByName(SERVICE)
        self.status = status_message()
        self.token = None

    def message(self, name):
        """The class of a message."""
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(name))

    def method(self, name):
        """What calls a method, and the class of its request."""
        method = self.service.methods_by_name[name]
        request = message_factory.GetMessageClass(method.input_type)
        response = message_factory.GetMessageClass(method.output_type)
        call = self.channel.unary_unary(
            f"/{SERVICE}/{name}",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )
        return call, request

    def metadata(self, key=None, more=()):
        """Who calls, under which key."""
        metadata = list(more)
        if self.token is not None:
            metadata.append(("authorization", f"Bearer {self.token}"))
        if key is not None:
            metadata.append(("idempotency-key", key))
        return metadata

    def call(self, name, key=None, more=(), timeout=PATIENCE_S, **fields):
        """Calls a method; the reply, and the metadata before and after it."""
        call, request = self.method(name)
        try:
            reply, done = call.with_call(
                request(**fields), timeout=timeout, metadata=self.metadata(key, more)
            )
        except grpc.RpcError as error:
            raise Refusal(self, error) from None
        same(done.code(), grpc.StatusCode.OK, name)
        return reply, metadata(done)

    def begin(self, name, key=None, timeout=PATIENCE_S, **fields):
        """Begins a call and does not wait for it."""
        call, request = self.method(name)
        return call.future(request(**fields), timeout=timeout, metadata=self.metadata(key))

    def reply(self, name, **more):
        """Calls a method; the reply."""
        return self.call(name, **more)[0]

    def refusal(self, name, code, **more):
        """Calls a method that has to be refused."""
        try:
            reply, _ = self.call(name, **more)
        except Refusal as refusal:
            same(refusal.code, code, f"{name}: {refusal}")
            return refusal
        raise SystemExit(f"{name} was not refused: {reply}")

    def health(self, service):
        """What the server says of a service's health; 1 is `SERVING`."""
        check = self.channel.unary_unary("/grpc.health.v1.Health/Check")
        name = service.encode()
        answer = check(bytes([0x0A, len(name)]) + name, timeout=PATIENCE_S)
        same(answer[:1], b"\x08", "the answer of Health/Check")
        return answer[1]


def status_message():
    """google.rpc.Status, which the contract does not mention."""
    file = descriptor_pb2.FileDescriptorProto(
        name="google/rpc/status.proto",
        package="google.rpc",
        syntax="proto3",
        dependency=["google/protobuf/any.proto"],
    )
    message = file.message_type.add(name="Status")
    field = descriptor_pb2.FieldDescriptorProto
    single, many = field.LABEL_OPTIONAL, field.LABEL_REPEATED
    message.field.add(name="code", number=1, type=field.TYPE_INT32, label=single)
    message.field.add(name="message", number=2, type=field.TYPE_STRING, label=single)
    message.field.add(
        name="details",
        number=3,
        type=field.TYPE_MESSAGE,
        type_name=".google.protobuf.Any",
        label=many,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(any_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("google.rpc.Status"))
