# syntax=docker/dockerfile:1
# The bank in containers, for those who would rather run it so: on AWS Lambda none of this is used.
#
#   docker build .                 the gRPC server alone; it is set by the variables of `rpc` in template.yaml
#   docker build --target bank .   the gateway and every function, as docker-compose.yaml starts them
#
# --build-arg PROFILE=dev builds quicker and runs slower.

# Without rust-toolchain.toml, which would have rustup fetch what only `make check` uses.
FROM rust:1.95.0-slim-bookworm AS source
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY migrations migrations
COPY proto proto
COPY shared shared
COPY local local
COPY functions functions
COPY bench/hello bench/hello

FROM source AS build-rpc
ARG PROFILE=release
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --locked --profile "$PROFILE" -p rpc \
    && built=target/$PROFILE && if [ "$PROFILE" = dev ]; then built=target/debug; fi \
    && install -D -t /out "$built/rpc"

FROM source AS build-bank
ARG PROFILE=release
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --locked --profile "$PROFILE" --workspace \
    && built=target/$PROFILE && if [ "$PROFILE" = dev ]; then built=target/debug; fi \
    && install -D -t /out "$built/bank-local" "$built/token_keys" \
    && for function in functions/*; do install -t /out "$built/${function#*/}" || exit; done

# Pinned to the release and not to a day of it, so that each build has Debian's fixes.
FROM debian:bookworm-slim AS runtime
# The SDK asks the system whom to trust as AWS.
COPY --from=source /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY local/probe.sh /usr/local/bin/probe
STOPSIGNAL SIGTERM

FROM runtime AS bank
# A new volume for keys takes over the owner of the folder that it is mounted at.
RUN install -d -o 10001 -g 10001 -m 700 /keys
WORKDIR /bank
COPY template.yaml ./
COPY local/keys.sh /usr/local/bin/bank-keys
COPY --from=build-bank /out bin
ENV PATH="/bank/bin:$PATH"
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s CMD ["probe", "rest", "8080"]
ENTRYPOINT ["bank-local", "--template", "/bank/template.yaml", "--functions", "/bank/bin", "--host", "0.0.0.0"]

FROM runtime AS grpc
COPY --from=build-rpc /out/rpc /usr/local/bin/
ENV GRPC_SERVER_ADDRESS=0.0.0.0:9090 MIMALLOC_PURGE_DELAY=0
USER 10001:10001
EXPOSE 9090
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s CMD ["probe", "grpc", "9090"]
ENTRYPOINT ["rpc"]
