// Fuzz target: what goes into a ring comes out, in order and whole, whatever the lengths.
#include "../engine/ring.h"

#include <deque>
#include <memory>
#include <vector>

#include "input.h"

using culvert::Ring;
using culvert::fuzz::Input;
using culvert::fuzz::Must;

namespace {

struct Record {
  uint32_t length;
  uint8_t fill;
};

bool Holds(const uint8_t* octets, const Record& record) {
  for (uint32_t i = 0; i < record.length; i++) {
    if (octets[i] != static_cast<uint8_t>(record.fill + i)) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* octets, size_t size) {
  Input input(octets, size);
  const size_t memory = size_t{4096} << (input.U8() % 5);
  auto shared = std::make_unique<uint64_t[]>(memory / 8);
  uint8_t* base = reinterpret_cast<uint8_t*>(shared.get());
  // Positions count on for ever, whoever reads and writes.
  shared[0] = shared[8] = (input.U64() >> 4) & ~uint64_t{63};
  Ring writer(base, memory);
  Ring reader(base, memory);
  std::deque<Record> unread;
  std::deque<std::pair<const uint8_t*, Record>> visited;
  uint8_t fill = 0;
  while (!input.done()) {
    const uint8_t what = input.U8() % 8;
    if (what < 4) {
      // Odd ones are reserved and never published.
      const Record record = {what < 2 ? input.U8() : input.U16() % 20000u, fill++};
      uint8_t* into = writer.Reserve(record.length);
      if (into == nullptr) {
        Must(!unread.empty() || !visited.empty() || record.length + 80 > memory / 2, "an empty ring has room");
        continue;
      }
      Must(into >= base + Ring::kHeader && into + record.length <= base + memory, "a record lies in its ring");
      for (uint32_t i = 0; i < record.length; i++) into[i] = static_cast<uint8_t>(record.fill + i);
      if (what % 2 == 1) continue;
      writer.Publish();
      unread.push_back(record);
    } else if (what < 7) {
      uint32_t length = 0;
      uint8_t* next = reader.Next(length);
      Must((next == nullptr) == unread.empty(), "what was published is there, and nothing else");
      if (next == nullptr) continue;
      const Record record = unread.front();
      unread.pop_front();
      Must(length == record.length && Holds(next, record), "a record comes out as it went in");
      visited.emplace_back(next, record);
    } else {
      for (const auto& [at, record] : visited) Must(Holds(at, record), "a record stays until it is released");
      reader.Release();
      visited.clear();
    }
  }
  return 0;
}
