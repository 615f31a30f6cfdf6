// What the protocol costs per request: parsing, and writing the reply.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "proto/reply_parser.h"
#include "proto/reply_writer.h"
#include "proto/request_parser.h"
#include "proto/request_writer.h"

namespace proto {
namespace {

// As many requests as a connection's reading turn of 16 KiB holds, or one if it is longer.
std::string pipeline_of(const std::string& request) {
  std::string bytes;
  do {
    bytes += request;
  } while (bytes.size() + request.size() <= 16 * 1024);
  return bytes;
}

void parse_pipeline(benchmark::State& state, const std::string& request) {
  std::string bytes = pipeline_of(request);
  const RequestLimits limits = RequestLimits::normal();
  PartialRequest partial;
  ArgVector args;
  size_t requests = 0;
  for (auto _ : state) {
    ae::MutableBytes input(bytes);
    args.clear();
    while (!input.empty()) {
      input = input.subspan(parse_request(input, partial, limits, args).consumed);
      ++requests;
    }
    benchmark::DoNotOptimize(args.data());
  }
  state.counters["ns/request"] = benchmark::Counter(
      static_cast<double>(requests), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void parse_ping(benchmark::State& state) {
  parse_pipeline(state, encode_request({"PING"}));
}
void parse_get(benchmark::State& state) {
  parse_pipeline(state, encode_request({"GET", "key:000000000001"}));
}
void parse_set(benchmark::State& state) {
  parse_pipeline(state, encode_request({"SET", "key:000000000001", "value-0123456789"}));
}
void parse_mset(benchmark::State& state) {
  std::vector<std::string_view> args(21, "key:000000000001");
  args[0] = "MSET";
  parse_pipeline(state, encode_request(args));
}
void parse_set_100k(benchmark::State& state) {
  parse_pipeline(state, encode_request({"SET", "key", std::string(100000, 'x')}));
}
void parse_inline(benchmark::State& state) {
  parse_pipeline(state, "SET key:000000000001 value-0123456789\r\n");
}
BENCHMARK(parse_ping);
BENCHMARK(parse_get);
BENCHMARK(parse_set);
BENCHMARK(parse_mset);
BENCHMARK(parse_set_100k);
BENCHMARK(parse_inline);

// A SET that comes in two pieces: the price of remembering.
void parse_set_in_two_pieces(benchmark::State& state) {
  std::string bytes = encode_request({"SET", "key:000000000001", "value-0123456789"});
  const RequestLimits limits = RequestLimits::normal();
  PartialRequest partial;
  ArgVector args;
  for (auto _ : state) {
    args.clear();
    parse_request(ae::MutableBytes(bytes).first(40), partial, limits, args);
    benchmark::DoNotOptimize(parse_request(bytes, partial, limits, args));
  }
}
BENCHMARK(parse_set_in_two_pieces);

constexpr int kRepliesPerBatch = 256;

template <typename Write>
void write_replies(benchmark::State& state, Write write) {
  StringSink sink;
  for (auto _ : state) {
    sink.clear();
    ReplyWriter writer(sink, Resp::k2);
    for (int i = 0; i < kRepliesPerBatch; ++i) {
      write(writer, i);
      benchmark::ClobberMemory();
    }
  }
  state.counters["ns/reply"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kRepliesPerBatch),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void write_ok(benchmark::State& state) {
  write_replies(state, [](ReplyWriter& writer, int) { writer.ok(); });
}
void write_integer(benchmark::State& state) {
  write_replies(state, [](ReplyWriter& writer, int i) { writer.integer(i * 7919); });
}
void write_bulk(benchmark::State& state) {
  const std::string text(static_cast<size_t>(state.range(0)), 'x');
  write_replies(state, [&](ReplyWriter& writer, int) { writer.bulk(text); });
}
void write_double(benchmark::State& state) {
  write_replies(state, [](ReplyWriter& writer, int i) { writer.bulk_double(i + 0.1); });
}
void write_array_of_10(benchmark::State& state) {
  write_replies(state, [&](ReplyWriter& writer, int) {
    writer.array(10);
    for (int i = 0; i < 10; ++i) writer.bulk("value-0123456789");
  });
}
void write_deferred_10(benchmark::State& state) {
  write_replies(state, [&](ReplyWriter& writer, int) {
    const DeferredLength array = writer.defer_array();
    for (int i = 0; i < 10; ++i) writer.bulk("value-0123456789");
    writer.finish(array, 10);
  });
}
BENCHMARK(write_ok);
BENCHMARK(write_integer);
BENCHMARK(write_bulk)->Arg(3)->Arg(16)->Arg(64)->Arg(512)->Arg(4096);
BENCHMARK(write_double);
BENCHMARK(write_array_of_10);
BENCHMARK(write_deferred_10);

void parse_bulk_reply(benchmark::State& state) {
  ReplyParser parser;
  for (auto _ : state) {
    parser.feed("$16\r\nvalue-0123456789\r\n");
    benchmark::DoNotOptimize(parser.take());
  }
}
BENCHMARK(parse_bulk_reply);

void parse_int64(benchmark::State& state) {
  const std::string_view texts[] = {"1", "42", "1234567", "-98765432101234"};
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(ae::parse_int64(texts[i++ % 4]));
}
BENCHMARK(parse_int64);

}  // namespace
}  // namespace proto

BENCHMARK_MAIN();
