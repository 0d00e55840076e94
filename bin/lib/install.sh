# Debian packages by name, installed only when missing. Sourced by the scripts in bin/.

# What a build needs: libopus and the TLS library are C sources that cargo compiles; DTLS is Debian's OpenSSL.
BUILD_PACKAGES=(cmake g++ make pkg-config libssl-dev)

# What the tests need besides: browsers, a voice, players, proxies and caches, a database.
TEST_PACKAGES=("${BUILD_PACKAGES[@]}" chromium firefox-esr ffmpeg espeak-ng mpv nginx-light varnish postgresql simple-whip-client
  gstreamer1.0-nice gstreamer1.0-plugins-bad gstreamer1.0-plugins-base gstreamer1.0-plugins-good openssl curl python3-venv)

# The servers that the relay is measured beside, and what feeds them.
PEER_PACKAGES=(icecast2 nginx-light ffmpeg espeak-ng)

install_packages() {
  local missing=() name
  for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  echo "Installing from Debian: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  # Programs are wanted, not services: what a package would start at once is left alone.
  local policy=/usr/sbin/policy-rc.d ours=
  if [ ! -e $policy ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null && "${as_root[@]}" chmod +x $policy
  fi
  local status=0
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || status=$?
  [ -z "$ours" ] || "${as_root[@]}" rm -f $policy
  return $status
}
