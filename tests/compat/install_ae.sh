#!/bin/sh
# The reactor as others get it: installs the package `ae` to a fresh prefix, builds a program outside
# this tree with find_package(ae), and runs it.
#
#   tests/compat/install_ae.sh [BUILD_DIR]
#
# BUILD_DIR: a configured build of this tree to install from; without it one is made for the purpose.
set -eu

source_dir=$(cd "$(dirname "$0")/../.." && pwd)
work_dir=$(mktemp -d)
trap 'rm -rf "$work_dir"' EXIT

build_dir=${1:-}
if [ -z "$build_dir" ]; then
  build_dir=$work_dir/build
  cmake -S "$source_dir" -B "$build_dir" -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DMILLRACE_TESTS=OFF -DMILLRACE_EXAMPLES=OFF >"$work_dir/configure.log"
fi
cmake --build "$build_dir" --target ae ae_sim >"$work_dir/build.log" || {
  cat "$work_dir/build.log"
  exit 1
}
cmake --install "$build_dir" --prefix "$work_dir/prefix" --component ae >"$work_dir/install.log"

# An embedder's program: its own handler of connections, compiled with RTTI and without our flags.
mkdir "$work_dir/program"
cat >"$work_dir/program/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(embedder LANGUAGES CXX)
find_package(ae 0.1 REQUIRED)
add_executable(echo_once echo_once.cc)
target_link_libraries(echo_once PRIVATE ae::ae)
add_executable(simulated simulated.cc)
target_link_libraries(simulated PRIVATE ae::sim)
END

cat >"$work_dir/program/echo_once.cc" <<'END'
#include <sys/socket.h>
#include <cstdio>
#include "ae/core/event_loop.h"
#include "ae/net/connection_table.h"

struct Echo final : ae::ConnectionHandler {
  explicit Echo(ae::EventLoop& loop) : loop(loop) {}
  size_t on_data(ae::Connection connection, ae::MutableBytes data) override {
    connection.send(ae::Bytes(data.data(), data.size()));
    connection.close_after_flush(ae::CloseReason::kRequested);
    return data.size();
  }
  void on_closed(ae::Connection, ae::CloseReason) override { loop.stop(); }
  ae::EventLoop& loop;
};

int main() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0) return 1;
  auto loop = ae::EventLoop::create();
  if (!loop) return std::puts(loop.error().message().c_str());
  ae::ConnectionTable table(**loop);
  Echo echo(**loop);
  if (!table.adopt(ends[0], echo)) return 2;
  if (send(ends[1], "hello", 5, 0) != 5) return 3;
  (*loop)->run();
  char text[8] = {};
  if (recv(ends[1], text, sizeof(text) - 1, 0) != 5) return 4;
  return std::puts(text) < 0;
}
END

cat >"$work_dir/program/simulated.cc" <<'END'
#include <cstdio>
#include "ae/sim/world.h"

int main() {
  ae::sim::World world(1);
  int runs = 0;
  world.loop().add_timer(ae::Seconds(3600), [&] { ++runs; });
  while (runs == 0) world.loop().run_once();  // an hour passes at once
  return std::puts("an hour") < 0;
}
END

cmake -S "$work_dir/program" -B "$work_dir/program/build" -G Ninja \
      -DCMAKE_PREFIX_PATH="$work_dir/prefix" -DCMAKE_BUILD_TYPE=Release >"$work_dir/program.log"
cmake --build "$work_dir/program/build" >>"$work_dir/program.log" || {
  cat "$work_dir/program.log"
  exit 1
}
[ "$("$work_dir/program/build/echo_once")" = hello ]
[ "$("$work_dir/program/build/simulated")" = "an hour" ]
echo "install_ae: ok"
