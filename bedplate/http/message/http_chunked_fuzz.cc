// SPDX-License-Identifier: Apache-2.0
// A chunked body: any bytes, in pieces whose sizes the first byte chooses. How it is cut does not matter.
#include <cstdlib>
#include <string>
#include <string_view>

#include "bedplate/http/message/chunked.h"

using namespace bedplate::http;

namespace {

struct Outcome {
  std::string data;
  bool done = false, failed = false;
  std::size_t used = 0;
};

Outcome decode(std::string_view bytes, std::size_t step) {
  ChunkedDecoder decoder;
  Outcome outcome;
  while (outcome.used < bytes.size() && !decoder.done() && !decoder.failed()) {
    std::string_view piece = bytes.substr(outcome.used, step);
    const std::size_t before = piece.size();
    while (!piece.empty() && !decoder.done() && !decoder.failed()) outcome.data += decoder.next(piece);
    outcome.used += before - piece.size();
  }
  outcome.done = decoder.done();
  outcome.failed = decoder.failed();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = decode(bytes, bytes.size() + 1);
  const Outcome pieces = decode(bytes, 1u + data[0] % 16);
  if (whole.data != pieces.data || whole.done != pieces.done || whole.failed != pieces.failed ||
      whole.used != pieces.used)
    std::abort();
  return 0;
}
