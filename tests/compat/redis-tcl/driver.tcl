# Runs one file of Redis' test suite, in the folder that holds its tests/, so that every test counts on its own.
#
#   REPORT=/dev/fd/N tclsh driver.tcl unit/type/list [options of tests/test_helper.tcl]
#
# The suite sends what happens (testing, ok, err ...) to a test server. Here each packet becomes a line on $REPORT:
# status, a tab, the text with \ tab, newline and carriage return escaped. Four statuses are ours: `end` closes a
# test, `outside` is an error of a command that no test sent, `reason` why a file could not go on, `over` its end.
set unit [lindex $argv 0]
set argv [lrange $argv 1 end]
set channel [open tests/test_helper.tcl]
set helper [read $channel]
close $channel
# All of it but its last statement, which would start the test server.
eval [string range $helper 0 [string last "\nif {\$::client} {" $helper]]

set ::durable 1     ;# an exception fails the test it is in, not the file
set ::numclients 1  ;# "solo" tests run where they stand
set ::test_server_fd [open $::env(REPORT) w]
fconfigure $::test_server_fd -encoding binary -translation lf

proc send_data_packet {fd status data {elapsed 0}} {
    puts $fd "$status\t[string map {\\ \\\\ \n \\n \t \\t \r \\r} $data]"
    flush $fd
}

# A command that the server does not know, sent between the tests, must not end the tests behind it.
rename ::redis::__dispatch__ ::redis::strict_dispatch
proc ::redis::__dispatch__ {id method args} {
    set code [catch {::redis::strict_dispatch $id $method {*}$args} reply]
    if {$code != 1 && [string equal -nocase $method hello]} {set ::protocols($id) [lindex $args 0]}
    if {$code == 1 && $::cur_test eq ""} {
        send_data_packet $::test_server_fd outside "$method: $reply"
        return ""
    }
    return -code $code $reply
}

# This suite is 7.0's. Since 7.2 small lists and small sets of strings are kept as listpacks, where it expects others.
proc assert_encoding {expected key} {
    set found [r object encoding $key]
    if {$found eq "listpack" && [r type $key] in {list set}} return
    assert_match $expected $found
}

# What the servers' own clients speak.
proc protocols {} {
    set spoken {}
    foreach server $::servers {
        set known [expr {[dict exists $server client] && [regexp {\d+$} [dict get $server client] id]
                         && [info exists ::protocols($id)]}]
        lappend spoken [expr {$known ? $::protocols($id) : 2}]
    }
    return $spoken
}

rename test suite_test
proc test {name args} {
    set failed $::num_failed
    set spoken [protocols]
    uplevel 1 [list suite_test $name {*}$args]
    send_data_packet $::test_server_fd end $name
    if {$::num_failed > $failed} {recover $spoken}
}

# What a failed test leaves behind: half a transaction, unread replies, a lost connection, a stopped or dead server,
# switches that it would have turned back. An external server is started again by whoever runs this.
proc recover {spoken} {
    foreach server $::servers {catch {exec kill -CONT [dict get $server pid]}}
    for {set level 0} {$level > -[llength $::servers]} {incr level -1} {
        for {set tries 0} {$tries < 40 && [catch {reconnect $level}]} {incr tries} {
            if {!$::external && ![is_alive [lindex $::servers end+$level]]} {
                send_data_packet $::test_server_fd death [lindex $::servers end+$level]
                catch {restart_server $level true false}
            }
            after 100
        }
        catch {r $level hello [lindex $spoken end+$level]}
        foreach switch {{config set maxmemory 0} {debug set-active-expire 1} {debug pause-cron 0} {client unpause}} {
            catch {r $level {*}$switch}
        }
    }
}

if {[catch {execute_test_file $unit} error]} {
    send_data_packet $::test_server_fd reason "$error\n$::errorInfo"
}
send_data_packet $::test_server_fd over $unit
foreach server $::servers {catch {exec kill [dict get $server pid]}}
