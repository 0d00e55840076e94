# Debian packages by name, installed only when missing. Sourced by the scripts in bin/.

# What a build needs: libopus and the TLS library are C sources that cargo compiles; DTLS is Debian's OpenSSL.
BUILD_PACKAGES=(cmake g++ make pkg-config libssl-dev)

# What the tests need besides: browsers, a voice, players, a proxy, a database.
TEST_PACKAGES=("${BUILD_PACKAGES[@]}" chromium firefox-esr ffmpeg espeak-ng mpv nginx-light postgresql simple-whip-client
  gstreamer1.0-nice gstreamer1.0-plugins-bad gstreamer1.0-plugins-base gstreamer1.0-plugins-good openssl curl)

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
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
