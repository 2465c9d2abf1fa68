#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Throwaway servers for development: PostgreSQL, a read replica that streams from it, and Redis. `./dev services`.
#
#   services.sh up|down|status STATE      STATE: the file that remembers what was started, and where
#
# - Loopback only, on free ports, behind passwords made at each start. The data is in a new directory below $TMPDIR or
#   /tmp, and goes with `down`.
# - `up` starts what does not run, so it may be called again; `down` ends what `up` started and nothing else.
# - As root the servers run as the user postgres (or nobody): PostgreSQL refuses root.
# - Standard output has one line for each service: its name, whether it runs, its URL.
set -euo pipefail

command=${1:-} state=${2:-}
log_lines=20

say() { printf '    %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
[[ -n $state && $command =~ ^(up|down|status)$ ]] || die "usage: services.sh up|down|status STATE"

# One at a time. The servers do not inherit descriptor 9 (see as_server), or they would hold the lock.
mkdir -p "$(dirname -- "$state")"
exec 9>"$state.lock"
flock 9

# --- The programs ------------------------------------------------------------------------------------------

postgres_bin() {
  local found
  found=$(find /usr/lib/postgresql -path '*/bin/postgres' 2>/dev/null | sort -V | tail -n 1)
  [[ -n $found ]] || die "PostgreSQL is not installed: apt-get install postgresql"
  dirname -- "$found"
}

if ((EUID == 0)); then
  server_user=postgres
  id postgres >/dev/null 2>&1 || server_user=nobody
else
  server_user=$(id -un)
fi

# as_server PROGRAM ARGUMENT...: in the data directory, as the user whose it is.
as_server() {
  local become=()
  ((EUID != 0)) || become=(setpriv --reuid="$server_user" --regid="$(id -g "$server_user")" --clear-groups --)
  (cd "$directory" && "${become[@]}" "$@" 9>&-)
}

# Not from the range out of which the kernel takes ports for outgoing connections, nor from that of the tests, which
# hold on to the ports of servers that they have stopped.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 2000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  printf '%s\n' "$port"
}

random_password() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# fail_with LOG SENTENCE
fail_with() {
  [[ ! -f $1 ]] || tail -n "$log_lines" "$1" >&2
  die "$2"
}

# --- What is remembered ------------------------------------------------------------------------------------

directory='' password='' postgres_port='' replica_port='' redis_port=''

# The file holds passwords, so only its owner reads it; it is data, never run.
read_state() {
  local name value
  [[ -f $state ]] || return 0
  while IFS='=' read -r name value; do
    case $name in
      directory | password | postgres_port | replica_port | redis_port) printf -v "$name" '%s' "$value" ;;
    esac
  done <"$state"
  # A reboot clears /tmp; what was there is gone then, servers included.
  [[ -d $directory ]] || directory=''
}

write_state() {
  local name
  (
    umask 077
    for name in directory password postgres_port replica_port redis_port; do
      printf '%s=%s\n' "$name" "${!name}"
    done >"$state"
  )
}

new_directory() {
  directory=$(mktemp -d "${TMPDIR:-/tmp}/bedplate-services-XXXXXX")
  password=$(random_password)
  ((EUID != 0)) || chown "$server_user" "$directory"
  write_state
}

# --- PostgreSQL and its replica ----------------------------------------------------------------------------

# runs postgres|replica: whether the postmaster of that data directory is alive.
postgres_runs() {
  [[ -n $directory && -d $directory/$1 ]] && as_server "$bin/pg_ctl" -D "$directory/$1" status >/dev/null 2>&1
}

# start_postgres NAME PORT_VARIABLE
start_postgres() {
  local name=$1 log=$directory/$1.log try
  local -n port=$2
  for try in 1 2 3 4 5; do
    [[ -n $port ]] || port=$(free_port)
    as_server "$bin/pg_ctl" -D "$directory/$name" -l "$log" -s -w -t 60 start \
      -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=''" >/dev/null 2>&1 && return 0
    # A port that was remembered may have been taken since; so may one that was just found free.
    grep -q 'Address already in use' "$log" || break
    rm -f "$log"
    port=''
  done
  fail_with "$log" "PostgreSQL ($name) did not start, after $try tries"
}

make_primary() {
  local log=$directory/initdb.log
  printf '%s\n' "$password" >"$directory/password"
  ((EUID != 0)) || chown "$server_user" "$directory/password"
  as_server "$bin/initdb" -D "$directory/postgres" -U postgres --auth=scram-sha-256 --pwfile="$directory/password" \
    --locale=C.UTF-8 --encoding=UTF8 --no-sync >"$log" 2>&1 || fail_with "$log" "initdb failed"
  rm -f "$directory/password"
  start_postgres postgres postgres_port
  PGPASSWORD=$password as_server "$bin/psql" -X -q -v ON_ERROR_STOP=1 \
    -h 127.0.0.1 -p "$postgres_port" -U postgres postgres >"$log" 2>&1 <<'SQL' || fail_with "$log" "psql failed"
\set password `printf %s "$PGPASSWORD"`
CREATE ROLE bedplate LOGIN CREATEDB PASSWORD :'password';
CREATE DATABASE bedplate OWNER bedplate;
SQL
}

make_replica() {
  local log=$directory/replica-copy.log
  rm -rf "${directory:?}/replica"
  PGPASSWORD=$password as_server "$bin/pg_basebackup" -h 127.0.0.1 -p "$postgres_port" -U postgres \
    -D "$directory/replica" --wal-method=stream --checkpoint=fast --write-recovery-conf --no-sync >"$log" 2>&1 ||
    fail_with "$log" "copying PostgreSQL for the replica failed"
  start_postgres replica replica_port
}

up_postgres() {
  local old_port=$postgres_port
  if postgres_runs postgres; then
    :
  elif [[ -d $directory/postgres/base ]]; then
    say "starting PostgreSQL"
    start_postgres postgres postgres_port
  else
    say "making PostgreSQL"
    make_primary
  fi
  write_state
  if postgres_runs replica && [[ $old_port == "$postgres_port" ]]; then
    return 0
  fi
  say "making the read replica"
  as_server "$bin/pg_ctl" -D "$directory/replica" -s -m immediate stop >/dev/null 2>&1 || true
  make_replica
}

# --- Redis -------------------------------------------------------------------------------------------------

# Whether the process that was started is alive, and is it indeed.
redis_runs() {
  local pid
  [[ -n $directory && -s $directory/redis.pid ]] || return 1
  pid=$(<"$directory/redis.pid")
  [[ $(readlink "/proc/$pid/cwd" 2>/dev/null) == "$directory" ]]
}

up_redis() {
  local log=$directory/redis.log try
  redis_runs && return 0
  command -v redis-server >/dev/null || die "Redis is not installed: apt-get install redis-server"
  say "starting Redis"
  for try in 1 2 3 4 5; do
    [[ -n $redis_port ]] || redis_port=$(free_port)
    # The password comes through standard input: arguments are for every user to see.
    printf 'requirepass %s\n' "$password" | as_server redis-server - --port "$redis_port" --bind 127.0.0.1 \
      --dir "$directory" --save '' --appendonly no --daemonize yes --pidfile "$directory/redis.pid" \
      --logfile "$log" >/dev/null || fail_with "$log" "Redis did not start"
    redis_answers && return 0
    grep -q 'Address already in use' "$log" || break
    rm -f "$log"
    redis_port=''
  done
  fail_with "$log" "Redis did not start, after $try tries"
}

redis_answers() {
  local deadline=$((SECONDS + 30))
  until [[ $(REDISCLI_AUTH=$password redis-cli -h 127.0.0.1 -p "$redis_port" ping 2>/dev/null) == PONG ]]; do
    ! grep -qs 'Address already in use' "$directory/redis.log" && ((SECONDS < deadline)) || return 1
    sleep 0.05
  done
}

# --- Commands ----------------------------------------------------------------------------------------------

# line NAME RUNS URL
line() { printf '%-11s %-8s %s\n' "$1" "$2" "$3"; }

status() {
  local login="postgresql://bedplate:$password@127.0.0.1"
  if postgres_runs postgres; then line postgresql running "$login:$postgres_port/bedplate"; else line postgresql stopped -; fi
  if postgres_runs replica; then line replica running "$login:$replica_port/bedplate"; else line replica stopped -; fi
  if redis_runs; then line redis running "redis://default:$password@127.0.0.1:$redis_port/0"; else line redis stopped -; fi
}

down() {
  local name pid
  [[ -n $directory ]] || return 0
  for name in replica postgres; do
    postgres_runs "$name" || continue
    # Without a last checkpoint: the data goes too.
    as_server "$bin/pg_ctl" -D "$directory/$name" -s -m immediate -t 60 stop >/dev/null || die "PostgreSQL ($name) does not stop"
  done
  if redis_runs; then
    pid=$(<"$directory/redis.pid")
    kill "$pid"
    tail --pid="$pid" -s 0.02 -f /dev/null
  fi
  rm -rf "$directory"
  directory=''
}

bin=$(postgres_bin)
read_state
case $command in
  up)
    [[ -n $directory ]] || new_directory
    up_postgres
    up_redis
    write_state
    status
    ;;
  down)
    down
    rm -f "$state"
    status
    ;;
  status) status ;;
esac
