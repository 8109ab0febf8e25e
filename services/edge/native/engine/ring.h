// Packets handed from one worker to another: one writer, one reader, in memory that both see. A record lies in
// one piece, so that the reader can work on it in place.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace culvert {

class Ring {
 public:
  // `octets` is a power of two and holds kHeader octets of its own in front.
  Ring(uint8_t* memory, size_t octets)
      : head_(reinterpret_cast<uint64_t*>(memory)),
        tail_(reinterpret_cast<uint64_t*>(memory + 64)),
        data_(memory + kHeader),
        size_(octets - kHeader),
        // A reader that takes another's place goes on where that one was.
        seen_(tail_.load(std::memory_order_relaxed)) {}

  static constexpr size_t kHeader = 128;

  // Where `length` octets go, `Publish` to follow; null when there is no room.
  uint8_t* Reserve(uint32_t length) {
    const uint64_t head = head_.load(std::memory_order_relaxed);
    const uint64_t tail = tail_.load(std::memory_order_acquire);
    const size_t needed = Rounded(length);
    size_t at = head % size_;
    // What does not fit before the end starts at the beginning; a length of kSkip says so.
    const size_t skipped = at + needed > size_ ? size_ - at : 0;
    if (head - tail + skipped + needed > size_) return nullptr;
    if (skipped > 0) {
      StoreLength(at, kSkip);
      at = 0;
    }
    StoreLength(at, length);
    reserved_ = head + skipped + needed;
    return data_ + at + kLength;
  }
  void Publish() { head_.store(reserved_, std::memory_order_release); }

  // The oldest record that was not visited since `Release`; null when there is none.
  uint8_t* Next(uint32_t& length) {
    const uint64_t head = head_.load(std::memory_order_acquire);
    if (seen_ == head) return nullptr;
    size_t at = seen_ % size_;
    length = LoadLength(at);
    if (length == kSkip) {
      seen_ += size_ - at;
      at = 0;
      length = LoadLength(at);
    }
    seen_ += Rounded(length);
    return data_ + at + kLength;
  }
  // The memory of everything visited may be written again.
  void Release() { tail_.store(seen_, std::memory_order_release); }

 private:
  static constexpr size_t kLength = 16;
  static constexpr uint32_t kSkip = UINT32_MAX;
  // Keeps records apart by cache lines, and room for a length at every end.
  static size_t Rounded(uint32_t length) { return (kLength + length + 63) & ~size_t{63}; }
  void StoreLength(size_t at, uint32_t length) { std::memcpy(data_ + at, &length, sizeof length); }
  uint32_t LoadLength(size_t at) const {
    uint32_t length;
    std::memcpy(&length, data_ + at, sizeof length);
    return length;
  }

  struct Shared {
    explicit Shared(uint64_t* word) : word(*word) {}
    uint64_t load(std::memory_order order) const { return word.load(order); }
    void store(uint64_t value, std::memory_order order) { word.store(value, order); }
    std::atomic_ref<uint64_t> word;
  };
  Shared head_;
  Shared tail_;
  uint8_t* data_;
  size_t size_;
  uint64_t seen_;
  uint64_t reserved_ = 0;
};

}  // namespace culvert
