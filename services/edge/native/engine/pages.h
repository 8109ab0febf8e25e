// Large buffers on whole, large pages: the kernel copies faster to aligned memory, and one entry of the
// processor's address cache covers two megabytes.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

// The address sanitizer knows the ends of what is on the heap, and of nothing else.
#if defined(__SANITIZE_ADDRESS__)
#define CULVERT_PAGES_ON_HEAP
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CULVERT_PAGES_ON_HEAP
#endif
#endif

namespace culvert {

#ifdef CULVERT_PAGES_ON_HEAP

class Pages {
 public:
  explicit Pages(size_t octets) : memory_(std::make_unique_for_overwrite<uint8_t[]>(octets)) {}
  uint8_t* get() const { return memory_.get(); }

 private:
  std::unique_ptr<uint8_t[]> memory_;
};

#else

class Pages {
 public:
  explicit Pages(size_t octets) : octets_((octets + kLarge - 1) & ~(kLarge - 1)) {
    // More than is needed, for mmap aligns to small pages only.
    memory_ = mmap(nullptr, octets_ + kLarge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
    at_ = reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(memory_) + kLarge - 1) & ~(kLarge - 1));
    // A wish: where there are none, small pages will do.
    madvise(at_, octets_, MADV_HUGEPAGE);
    // Plaintext has no business in a core file.
    madvise(at_, octets_, MADV_DONTDUMP);
  }
  ~Pages() { munmap(memory_, octets_ + kLarge); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  uint8_t* get() const { return at_; }

 private:
  static constexpr uintptr_t kLarge = 2 << 20;
  size_t octets_;
  void* memory_;
  uint8_t* at_;
};

#endif

}  // namespace culvert
