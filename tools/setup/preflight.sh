#!/usr/bin/env bash
# Fails early, before anything is downloaded, with one line that names what is missing and the command that gives it.
# The finer checks (versions of what is fetched) are in tools/setup/requirements.ts, which needs Node to run at all.
set -uo pipefail

missing() {
  echo "set-up: $1. $2" >&2
  exit 1
}

[ "$(uname -s)" = Linux ] || missing "Linux is needed, this is $(uname -s)" "Run it in a Linux machine or container"
command -v node >/dev/null || missing "Node >= 20.19 is needed, \`node\` is not on the PATH" "Install it with \`nvm install 20\` or from nodejs.org"
node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' ||
  missing "Node >= 20.19 is needed, this is $(node --version)" "Install it with \`nvm install 20\` or from nodejs.org"
command -v npm >/dev/null || missing "npm is not on the PATH" "Install it with \`apt-get install npm\`"
command -v java >/dev/null || missing "Java 17 or newer is needed, \`java\` is not on the PATH" "Install it with \`apt-get install openjdk-17-jre-headless\`"
java_major=$(java -version 2>&1 | sed -nE 's/.*version "(1\.)?([0-9]+).*/\2/p' | head -1)
[ "${java_major:-0}" -ge 17 ] || missing "Java 17 or newer is needed, this is ${java_major:-unreadable}" "Install it with \`apt-get install openjdk-17-jre-headless\`"
command -v mvn >/dev/null || missing "Maven is needed to fetch Kafka, \`mvn\` is not on the PATH" "Install it with \`apt-get install maven\`"
command -v setpriv >/dev/null || missing "\`setpriv\` is not on the PATH" "Install it with \`apt-get install util-linux\`"
