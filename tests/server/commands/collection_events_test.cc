// Which keyspace events the commands on lists, hashes, sets, sorted sets and streams cause, and in
// which order. The table was recorded from redis-server 7.0.15: one run with all events for the
// order, and one for each class of notify-keyspace-events for the letter.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/server/commands/command_rig.h"
#include "tests/server/effects_observer.h"

namespace millrace {
namespace {

struct Case {
  std::string_view command;
  std::string_view events;  // class:event key, …
};

// One after the other on one keyspace.
constexpr Case kScript[] = {
    {"LPUSH l a b c", "l:lpush l"},
    {"RPUSH l d", "l:rpush l"},
    {"LPUSHX none a", ""},
    {"RPUSHX l e", "l:rpush l"},
    {"LPOP l", "l:lpop l"},
    {"RPOP l 2", "l:rpop l"},
    {"LPOP l 0", ""},
    {"LPOP l 9", "l:lpop l, g:del l"},
    {"LPOP l", ""},
    {"RPUSH l 1 2 3 4 5", "l:rpush l"},
    {"LSET l 0 x", "l:lset l"},
    {"LSET l 99 x", ""},
    {"LINSERT l BEFORE 3 y", "l:linsert l"},
    {"LINSERT l BEFORE nosuch y", ""},
    {"LREM l 1 y", "l:lrem l"},
    {"LREM l 1 y", ""},
    {"LTRIM l 0 2", "l:ltrim l"},
    {"LTRIM l 0 99", "l:ltrim l"},
    {"LRANGE l 0 -1", ""},
    {"LPOS l 3", ""},
    {"LMOVE l m LEFT RIGHT", "l:rpush m, l:lpop l"},
    {"LMOVE l l LEFT RIGHT", "l:rpush l, l:lpop l"},
    {"RPOPLPUSH l m", "l:lpush m, l:rpop l"},
    {"RPOPLPUSH l m", "l:lpush m, l:rpop l, g:del l"},
    {"RPOPLPUSH l m", ""},
    {"LMPOP 2 l m LEFT COUNT 2", "l:lpop m"},
    {"LMPOP 2 l m RIGHT COUNT 9", "l:rpop m, g:del m"},
    {"LTRIM m 5 1", ""},
    {"RPUSH l a a", "l:rpush l"},
    {"LREM l 0 a", "l:lrem l, g:del l"},
    {"RPUSH l a", "l:rpush l"},
    {"LTRIM l 1 0", "l:ltrim l, g:del l"},
    {"HSET h a 1 b 2", "h:hset h"},
    {"HMSET h c 3", "h:hset h"},
    {"HSETNX h c 3", ""},
    {"HSETNX h d 3", "h:hset h"},
    {"HINCRBY h a 1", "h:hincrby h"},
    {"HINCRBYFLOAT h a 1", "h:hincrbyfloat h"},
    {"HGET h a", ""},
    {"HDEL h nosuch", ""},
    {"HDEL h a b", "h:hdel h"},
    {"HDEL h c d", "h:hdel h, g:del h"},
    {"HSETNX h d 3", "h:hset h"},
    {"HRANDFIELD h 1", ""},
    {"HDEL h d", "h:hdel h, g:del h"},
    {"SADD s a b c d", "s:sadd s"},
    {"SADD s a", ""},
    {"SREM s nosuch", ""},
    {"SREM s a", "s:srem s"},
    {"SMOVE s t b", "s:srem s, s:sadd t"},
    {"SMOVE s t nosuch", ""},
    {"SADD t c", "s:sadd t"},
    {"SMOVE s t c", "s:srem s"},
    {"SMOVE t t c", ""},
    {"SPOP s 0", ""},
    {"SPOP s", "s:spop s, g:del s"},
    {"SPOP s", ""},
    {"SPOP t 1", "s:spop t"},
    {"SPOP t 9", "s:spop t, g:del t"},
    {"SADD s a b c", "s:sadd s"},
    {"SADD t b c d", "s:sadd t"},
    {"SINTERSTORE u s t", "s:sinterstore u"},
    {"SUNIONSTORE u s t", "s:sunionstore u"},
    {"SDIFFSTORE u s t", "s:sdiffstore u"},
    {"SDIFFSTORE u s s", "g:del u"},
    {"SDIFFSTORE u s s", ""},
    {"SINTERSTORE s s none", "g:del s"},
    {"SREM t b c d", "s:srem t, g:del t"},
    {"ZADD z 1 a 2 b 3 c 4 d", "z:zadd z"},
    {"ZADD z 1 a", ""},
    {"ZADD z CH 9 a", "z:zadd z"},
    {"ZADD z XX 1 nosuch", ""},
    {"ZADD z INCR 1 a", "z:zincr z"},
    {"ZADD z NX INCR 1 a", ""},
    {"ZADD z INCR 0 a", ""},
    {"ZINCRBY z 1 a", "z:zincr z"},
    {"ZREM z nosuch", ""},
    {"ZREM z a", "z:zrem z"},
    {"ZRANGESTORE y z 0 -1", "z:zrangestore y"},
    {"ZRANGESTORE y z 9 9", "g:del y"},
    {"ZRANGESTORE y z 9 9", ""},
    {"ZUNIONSTORE y 1 z", "z:zunionstore y"},
    {"ZINTERSTORE y 1 z", "z:zinterstore y"},
    {"ZDIFFSTORE y 2 z none", "z:zdiffstore y"},
    {"ZINTERSTORE y 2 z none", "g:del y"},
    {"ZREMRANGEBYRANK z 9 9", ""},
    {"ZREMRANGEBYRANK z 0 0", "z:zremrangebyrank z"},
    {"ZREMRANGEBYSCORE z 3 3", "z:zremrangebyscore z"},
    {"ZREMRANGEBYLEX z - +", "z:zremrangebylex z, g:del z"},
    {"ZADD z 1 a 2 b 3 c 4 d 5 e", "z:zadd z"},
    {"ZPOPMIN z", "z:zpopmin z"},
    {"ZPOPMAX z 2", "z:zpopmax z"},
    {"ZPOPMAX z 0", ""},
    {"ZMPOP 1 z MIN", "z:zpopmin z"},
    {"ZMPOP 1 z MAX COUNT 9", "z:zpopmax z, g:del z"},
    {"ZADD z 1 a", "z:zadd z"},
    {"ZREMRANGEBYRANK z 0 -1", "z:zremrangebyrank z, g:del z"},
    {"ZADD z 1 a", "z:zadd z"},
    {"ZREMRANGEBYSCORE z -inf +inf", "z:zremrangebyscore z, g:del z"},
    {"ZADD z 1 a", "z:zadd z"},
    {"ZREM z a", "z:zrem z, g:del z"},
    {"XADD x 1-0 a b", "t:xadd x"},
    {"XADD x NOMKSTREAM 2-0 a b", "t:xadd x"},
    {"XADD nosuch NOMKSTREAM 2-0 a b", ""},
    {"XADD x MAXLEN 2 3-0 a b", "t:xadd x, t:xtrim x"},
    {"XADD x MAXLEN 5 4-0 a b", "t:xadd x"},
    {"XADD x MINID 3 5-0 a b", "t:xadd x, t:xtrim x"},
    {"XTRIM x MAXLEN 9", ""},
    {"XTRIM x MAXLEN 2", "t:xtrim x"},
    {"XDEL x 9-9", ""},
    {"XDEL x 4-0 5-0", "t:xdel x"},
    {"XSETID x 9-0", "t:xsetid x"},
    {"XADD x 10-0 a b", "t:xadd x"},
    {"XADD x 11-0 a b", "t:xadd x"},
    {"XGROUP CREATE x g 0", "t:xgroup-create x"},
    {"XGROUP CREATE y g 0 MKSTREAM", "t:xgroup-create y"},
    {"XGROUP SETID x g 0", "t:xgroup-setid x"},
    {"XGROUP CREATECONSUMER x g ann", "t:xgroup-createconsumer x"},
    {"XGROUP CREATECONSUMER x g ann", ""},
    {"XREADGROUP GROUP g bob COUNT 1 STREAMS x >", "t:xgroup-createconsumer x"},
    {"XREADGROUP GROUP g bob STREAMS x 0", ""},
    {"XCLAIM x g cid 0 10-0", "t:xgroup-createconsumer x"},
    {"XAUTOCLAIM x g dan 0 0", "t:xgroup-createconsumer x"},
    {"XACK x g 10-0", ""},
    {"XGROUP DELCONSUMER x g nosuch", ""},
    {"XGROUP DELCONSUMER x g bob", "t:xgroup-delconsumer x"},
    {"XGROUP DESTROY x nosuch", ""},
    {"XGROUP DESTROY x g", "t:xgroup-destroy x"},
    {"XRANGE x - +", ""},
    {"XREAD STREAMS x 0", ""},
    {"XINFO STREAM x", ""},
    {"XTRIM x MAXLEN 0", "t:xtrim x"},
    {"DEL x y", "g:del x, g:del y"},
};

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> words;
  for (size_t end; !line.empty(); line.remove_prefix(std::min(end + 1, line.size()))) {
    end = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, end));
  }
  return words;
}

char letter(KeyEventClass event_class) {
  switch (event_class) {
    case KeyEventClass::kGeneric:
      return 'g';
    case KeyEventClass::kList:
      return 'l';
    case KeyEventClass::kSet:
      return 's';
    case KeyEventClass::kHash:
      return 'h';
    case KeyEventClass::kSortedSet:
      return 'z';
    case KeyEventClass::kStream:
      return 't';
    default:
      return '?';
  }
}

TEST(CollectionEvents, AreThoseOfRedis) {
  CommandRig rig;
  Session& session = rig.connect();
  std::string seen;
  EffectsObserver observer(rig.effects, [&seen](const KeyChange& change) {
    if (!seen.empty()) seen += ", ";
    seen += letter(change.event_class);
    seen.append(":").append(change.event).append(" ").append(change.key.name);
  });
  for (const Case& step : kScript) {
    seen.clear();
    const std::string reply = rig.run(session, words(step.command));
    EXPECT_NE(reply[0], reply.starts_with("-ERR index") ? '+' : '-') << step.command << reply;
    EXPECT_EQ(seen, step.events) << step.command;
  }
  EXPECT_EQ(rig.databases.total_keys(), 0u);
}

}  // namespace
}  // namespace millrace
