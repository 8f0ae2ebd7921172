#!/usr/bin/env bash
# Puts a stage on AWS, a stack at a time; docs/runbook.md has the order. It acts as whoever `aws` is logged in as,
# in that account and region.
#
#   infra/aws.sh account                    once in an account and region
#   infra/aws.sh network STAGE              then these, for each stage
#   infra/aws.sh database STAGE
#   infra/aws.sh secrets STAGE              make the keys that are missing; prints none
#   infra/aws.sh app STAGE                  the functions and their API, from target/lambda
#   infra/aws.sh prune STAGE                delete old versions of the functions, as app does at its end
#   infra/aws.sh observability STAGE
#   infra/aws.sh github STAGE REPOSITORY    let GitHub Actions deploy the stage
#   infra/aws.sh url STAGE                  print where its API answers
#
# PARAMETERS="Name=Value ..." is given to the stack besides what infra/stages/STAGE and samconfig.toml say.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=${BIN:-target/debug}
tools=$PWD/.local/venv/bin

fail() {
  echo "$*" >&2
  exit 1
}

command -v aws >/dev/null || fail "The AWS CLI is missing: see https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"

verb=${1:-} stage=${2:-}
case "$verb" in
  account) ;;
  *) [[ $stage =~ ^(dev|staging|prod)$ ]] || fail "Which stage: dev, staging or prod? As in: make deploy STAGE=dev" ;;
esac

# Words of NAME=VALUE, none of which has a space in it.
read -ra given <<<"${PARAMETERS:-}"

# Deploys infra/$1.yaml as stack $2, with further parameters. A template may have 51,200 bytes if it is sent along, and
# a megabyte in a bucket: that of `sam deploy`, once it is there.
deploy_stack() {
  local template=$1 stack=$2 overrides=() bucket
  shift 2
  bucket=$(artefacts_bucket)
  [[ -z $stage ]] || read -ra overrides <<<"$(sed -n "s/^$template //p" "infra/stages/$stage" | tr '\n' ' ')"
  overrides+=("$@" ${given[@]+"${given[@]}"})
  [[ -z $stage ]] || overrides+=("Stage=$stage")
  aws cloudformation deploy --stack-name "$stack" --template-file "infra/$template.yaml" \
    --capabilities CAPABILITY_NAMED_IAM --no-fail-on-empty-changeset ${bucket:+--s3-bucket "$bucket" --s3-prefix "$stack"} \
    ${overrides[0]:+--parameter-overrides "${overrides[@]}"}
}

# Whether stack $1 is there. One that is in review is only wished for.
has_stack() {
  local status
  if status=$(aws cloudformation describe-stacks --stack-name "$1" --query 'Stacks[0].StackStatus' --output text 2>&1); then
    [[ $status != REVIEW_IN_PROGRESS ]]
  else
    [[ $status == *"does not exist"* ]] || fail "$status"
    return 1
  fi
}

# Prints nothing where there is none.
artefacts_bucket() {
  ! has_stack aws-sam-cli-managed-default ||
    aws cloudformation describe-stacks --stack-name aws-sam-cli-managed-default --output text \
      --query "Stacks[0].Outputs[?OutputKey=='SourceBucket'].OutputValue"
}

# A subnet cannot move, so that its zone is given to a new network alone.
network() {
  local list chosen="" zones=()
  list=$(aws ec2 describe-managed-prefix-lists --query 'PrefixLists[0].PrefixListId' --output text \
    --filters "Name=prefix-list-name,Values=com.amazonaws.$(region).s3")
  if ! has_stack "simplebank-$stage-network"; then
    chosen=$(choose_zones)
  fi
  read -ra zones <<<"$chosen"
  deploy_stack network "simplebank-$stage-network" "S3PrefixList=$list" ${zones[@]+"${zones[@]}"}
}

# Prints two zones as parameters: with Egress=endpoints, such as have all the endpoints.
choose_zones() {
  local lists found region
  region=$(region) || return
  # A line of zones, and then one for each service.
  lists=$(aws ec2 describe-availability-zones --query 'AvailabilityZones[].ZoneName' --output text \
    --filters Name=zone-type,Values=availability-zone Name=state,Values=available) || return
  if [[ " $(sed -n 's/^network //p' "infra/stages/$stage" | tr '\n' ' ') ${given[*]-} " != *" Egress=nat "* ]]; then
    lists+=$'\n'$(aws ec2 describe-vpc-endpoint-services --query 'ServiceDetails[].AvailabilityZones' --output text \
      --service-names "com.amazonaws.$region.secretsmanager" "com.amazonaws.$region.sqs" "com.amazonaws.$region.email") ||
      fail 'Where a region lacks one of these endpoints: PARAMETERS="Egress=nat"'
  fi
  found=$(awk '{ for (i = 1; i <= NF; i++) seen[$i]++ } END { for (zone in seen) if (seen[zone] == NR) print zone }' <<<"$lists" | sort | head -2)
  [[ $found == *$'\n'* ]] || fail "No two zones of $region have all the endpoints: PARAMETERS=\"Egress=nat\""
  echo "FirstZone=${found%$'\n'*} SecondZone=${found#*$'\n'}"
}

region() {
  local region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
  echo "${region:?Which region? As in: export AWS_REGION=us-east-1}"
}

# It can be removed only after somebody has said so twice: here, and by DeletionProtection.
database() {
  deploy_stack database "simplebank-$stage-database" "Vpc=/simplebank/$stage/network/vpc" \
    "Subnets=/simplebank/$stage/network/subnets" "FunctionsSecurityGroup=/simplebank/$stage/network/security_group"
  aws cloudformation update-termination-protection --enable-termination-protection \
    --stack-name "simplebank-$stage-database" >/dev/null
}

# Makes the secret $1, of the line that comes in by the standard input, which no list of processes shows.
make_secret() {
  tr -d '\n' | aws secretsmanager create-secret --name "$1" --description "$2" --secret-string file:///dev/stdin \
    --query Name --output text
}

has_secret() { aws secretsmanager describe-secret --secret-id "$1" >/dev/null 2>&1; }

secrets() {
  local keyring=simplebank/$stage/keyring cursor_key=simplebank/$stage/cursor_key keys=/simplebank/$stage/keys
  has_secret "$keyring" || "$bin/token_keys" new | make_secret "$keyring" "What log-in and renewal sign with."
  has_secret "$cursor_key" || "$bin/token_keys" cursor | make_secret "$cursor_key" "What seals the cursors of lists."
  has_parameter "$keys/keyring_secret" || put_parameter "$keys/keyring_secret" "$(arn_of "$keyring")"
  has_parameter "$keys/cursor_key_secret" || put_parameter "$keys/cursor_key_secret" "$(arn_of "$cursor_key")"
  # What verifies tokens is public. Rotation changes it, so that one that is there stays.
  has_parameter "$keys/public_keys" || put_parameter "$keys/public_keys" "$(
    aws secretsmanager get-secret-value --secret-id "$keyring" --query SecretString --output text | "$bin/token_keys" public
  )"
  echo "$keyring and $cursor_key are there; $keys/* say where, and have the public keys."
}

arn_of() { aws secretsmanager describe-secret --secret-id "$1" --query ARN --output text; }

has_parameter() { aws ssm get-parameter --name "$1" >/dev/null 2>&1; }

put_parameter() { aws ssm put-parameter --name "$1" --type String --value "$2" >/dev/null; }

# A parameter that is not given keeps its value, so that the keyring's version is given to a new stack alone and from
# then on is changed as SECURITY.md says. Release is another one each time: SAM publishes a function's new version when its code
# or its part of the template has changed, not when a parameter's value has, and calls would go to the old version
# with the old keys and the old database.
app() {
  local name parameters overrides=() release architecture
  release=$(printf '%s %s' "$(git rev-parse HEAD 2>/dev/null)" "$(date -u +%s)" | "$tools/python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest()[:10])')
  for name in functions/*; do
    [[ -s target/lambda/${name#*/}/bootstrap ]] || fail "target/lambda/${name#*/}/bootstrap is missing: run make build first."
  done
  # GitHub's artefacts forget that a file is a program.
  chmod +x target/lambda/*/bootstrap
  architecture=$(architecture_of "target/lambda/${name#*/}/bootstrap")
  # An assignment ends the script if its command fails, and a here-string does not.
  parameters=$(setting parameter_overrides)
  read -ra overrides <<<"$parameters"
  if ! has_stack "simplebank-$stage"; then
    overrides+=("SigningKeyringVersion=$(current_version "simplebank/$stage/keyring")")
  fi
  SAM_CLI_TELEMETRY=0 "$tools/sam" deploy --config-env "$stage" --no-fail-on-empty-changeset \
    ${CI:+--no-confirm-changeset} ${CLOUDFORMATION_ROLE:+--role-arn "$CLOUDFORMATION_ROLE"} \
    --parameter-overrides "${overrides[@]}" "Release=$release" ${given[@]+"${given[@]}"} "Architecture=$architecture"
  prune || echo "It is deployed, but old versions could not be deleted: see docs/runbook.md, \"Old versions\"." >&2
}

# SAM keeps every version of a function, and a region has room for 75 GB of code. Of each function the newest five stay,
# and what an alias names.
prune() {
  local name function named versions version
  for name in functions/*; do
    function=simplebank-$stage-${name#*/}
    named=$(aws lambda list-aliases --function-name "$function" --output text --query \
      '[Aliases[].FunctionVersion, Aliases[].RoutingConfig.AdditionalVersionWeights | [].keys(@)[]][]') || return
    versions=$(aws lambda list-versions-by-function --function-name "$function" --output text \
      --query "Versions[?Version != '\$LATEST'].Version" | tr '\t' '\n' | sort -rn | tail -n +6) || return
    for version in $versions; do
      # Without a number, it would be the function that is deleted.
      [[ $version =~ ^[0-9]+$ ]] || return
      grep -qwF -- "$version" <<<"$named" ||
        aws lambda delete-function --function-name "$function" --qualifier "$version" || return
    done
  done
}

# What the program $1 was built for, as the header of an ELF file says. Another architecture would start nothing.
architecture_of() {
  case $(od -An -tx1 -j18 -N2 "$1" | tr -d ' ') in
    3e00) echo x86_64 ;;
    b700) echo arm64 ;;
    *) fail "$1 is no program for Lambda: run make build." ;;
  esac
}

# The id alone: the secret is not read.
current_version() {
  aws secretsmanager list-secret-version-ids --secret-id "$1" --output text \
    --query "Versions[?contains(VersionStages, 'AWSCURRENT')].VersionId"
}

# A setting of `sam deploy` for this stage.
setting() {
  "$tools/python" -c 'import sys, tomlkit
print(tomlkit.parse(open("samconfig.toml").read())[sys.argv[1]]["deploy"]["parameters"][sys.argv[2]])' "$stage" "$1"
}

case "$verb" in
  account) deploy_stack account simplebank-account ;;
  observability) deploy_stack observability "simplebank-$stage-observability" ;;
  github)
    deploy_stack github-oidc "simplebank-$stage-github" "Repository=${3:?OWNER/NAME}" \
      "SecurityGroup=/simplebank/$stage/network/security_group" "OwnerSecret=/simplebank/$stage/database/owner_secret" \
      "ApplicationSecret=/simplebank/$stage/database/secret"
    ;;
  network | database | secrets | app | prune) "$verb" ;;
  url)
    aws cloudformation describe-stacks --stack-name "simplebank-$stage" --output text \
      --query "Stacks[0].Outputs[?OutputKey=='ApiUrl'].OutputValue"
    ;;
  *) fail "usage: infra/aws.sh account | network | database | secrets | app | prune | observability | github | url, and a stage" ;;
esac
