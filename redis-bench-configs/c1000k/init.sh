#!/bin/busybox sh
# shellcheck shell=dash disable=SC1091,SC2154
# Process 1 of the guest. The guest's root is a folder of the host (hostfs): what is written to /results is there when
# the guest is gone. Everything else is in memory. /lab/plan, written by `guest`, sets:
#   descriptors, connections, scenarios, last_round, rate, per_source, handshakes, deadline; and /lab/server holds the server's command line.
# What is printed goes to the host's terminal; lines that begin with '@' tell `guest` where we are.
/bin/busybox --install -s /bin
export PATH=/bin LD_LIBRARY_PATH=/lib HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mount -t tmpfs tmp /tmp
exec </dev/null >/dev/console 2>&1
. /lab/plan
cd /tmp || poweroff -f

# Whatever happens, the guest ends.
finish() {
  dmesg >/results/dmesg
  echo "@down"
  poweroff -f
}

# What the kernel and the server say of themselves, into /results/NAME.
snapshot() {
  local folder=/results/$1 file
  mkdir -p "$folder"
  for file in slabinfo meminfo net/sockstat net/netstat net/snmp sys/fs/file-nr "$server/status" "$server/stat"; do
    cat "/proc/$file" >"$folder/${file##*/}"
  done
  printf 'INFO everything\r\nQUIT\r\n' | nc -w 20 127.0.0.1 6379 >"$folder/info"
}

# The tester's lines go on to the terminal, with a mark behind each phase: 1 connect, 2 hold, 3 hold, the measured one,
# 4 hold, in which the snapshot costs nobody anything, 5 sweep, 6 and more random; behind the last of these a hold
# again, for what the server says of the longest ticks of its loop (Millrace does; others answer that they do not).
narrate() {
  local line phase=0
  while read -r line; do
    echo "$line"
    case $line in
      connect\ * | hold\ * | sweep\ * | random\ *) phase=$((phase + 1)) ;;
      *) continue ;;
    esac
    # What a look costs belongs into neither end of the measured hold.
    [ $phase = 2 ] && cat "/proc/$server/status" >/results/hold_began
    echo "@phase $phase"
    case $phase in
      3)
        cat "/proc/$server/status" >/results/hold_ended
        snapshot held
        ;;
      "$last_round") printf 'LATENCY TICKS 5\r\nQUIT\r\n' | nc -w 20 127.0.0.1 6379 >/results/ticks ;;
    esac
  done
}

ip link set lo up
sh /lab/sysctl
ulimit -n "$descriptors"
echo "@up $(uname -r)"

sh /lab/server >/results/server.log 2>&1 &
server=$!
tries=0
# Its first request pages in the code that every other one runs through.
until printf 'PING\r\nQUIT\r\n' | nc -w 20 127.0.0.1 6379 2>/dev/null | grep -q PONG; do
  tries=$((tries + 1))
  if [ $tries = 100 ] || ! kill -0 $server 2>/dev/null; then
    echo "@failed the server does not answer"
    finish
  fi
  sleep 0.1
done
snapshot empty

# The report comes through a pipe, which says when it is complete: a million connections take minutes to close, and
# nobody needs to wait for that.
mkfifo /tmp/report
{
  # shellcheck disable=SC2086
  millrace-load --port 6379 --server-pid $server --connections "$connections" --per-source "$per_source" \
    --handshakes "$handshakes" --rate "$rate" --deadline "$deadline" --json /tmp/report $scenarios 2>&1 | narrate
  : >/tmp/report # for the reader, if it ended without a report
} &
cat /tmp/report >/results/load.json
for file in netstat snmp; do cat /proc/net/$file >/results/$file; done
kill -0 $server || echo "@failed the server is gone"
finish
