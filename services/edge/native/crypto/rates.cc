#include "rates.h"

#include <time.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <stdexcept>
#include <vector>

namespace culvert::crypto {
namespace {

// Other work of the machine does not count.
double Seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Freed {
  void operator()(uint8_t* memory) const { ::operator delete[](memory, std::align_val_t{kContextAlignment}); }
};

class Context {
 public:
  Context(Backend& backend, const Keys& keys, Direction direction)
      : backend_(backend),
        memory_(static_cast<uint8_t*>(
            ::operator new[](backend.ContextOctets(keys.suite, direction), std::align_val_t{kContextAlignment}))) {
    backend_.Init(memory_.get(), keys, direction);
  }
  ~Context() { backend_.Destroy(memory_.get()); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  void* get() const { return memory_.get(); }

 private:
  Backend& backend_;
  std::unique_ptr<uint8_t[], Freed> memory_;
};

double InitNanoseconds(Backend& backend, const Keys& keys, uint32_t milliseconds) {
  const Direction directions[] = {Direction::kSeal, Direction::kOpen};
  const std::unique_ptr<uint8_t[], Freed> memory(static_cast<uint8_t*>(
      ::operator new[](backend.ContextOctets(keys.suite, Direction::kSeal), std::align_val_t{kContextAlignment})));
  constexpr int kTimes = 64;
  const double start = Seconds();
  double spent = 0;
  uint64_t done = 0;
  do {
    for (int time = 0; time < kTimes; time++) {
      backend.Init(memory.get(), keys, directions[time & 1]);
      backend.Destroy(memory.get());
    }
    done += kTimes;
    spent = Seconds() - start;
  } while (spent * 1000 < milliseconds);
  return spent * 1e9 / static_cast<double>(done);
}

}  // namespace

Rates Measure(Backend& backend, Suite suite, size_t octets, size_t batch, uint32_t milliseconds) {
  Keys keys{suite, {}, {}, {}};
  // Weak keys are slow nowhere, but three equal DES keys would be refused by some.
  for (size_t index = 0; index < sizeof keys.encryption; index++) keys.encryption[index] = static_cast<uint8_t>(index * 7);
  const Context sealing(backend, keys, Direction::kSeal);
  const Context opening(backend, keys, Direction::kOpen);

  const size_t block = BlockOctets(suite.cipher);
  const size_t body = (std::max<size_t>(octets, 1) + block - 1) / block * block;
  const size_t packet = kEspHeaderOctets + IvOctets(suite.cipher) + body + IcvOctets(suite);
  // As packets lie in an engine's arena, and enough of them that reading the clock costs nothing.
  const size_t calls = std::max<size_t>(1, 256 / batch);
  const size_t count = calls * batch;
  std::vector<uint8_t> arena(count * packet);
  std::vector<Job> jobs(count);
  for (size_t index = 0; index < count; index++) {
    jobs[index] = {nullptr,
                   arena.data() + index * packet,
                   static_cast<uint32_t>(body),
                   0,
                   static_cast<uint8_t>(IcvOctets(suite)),
                   false,
                   false};
  }
  const auto with = [&](const Context& context) {
    for (Job& job : jobs) job.context = context.get();
    return Seconds();
  };
  double sealed = 0;
  double opened = 0;
  uint64_t rounds = 0;
  do {
    double from = with(sealing);
    for (size_t call = 0; call < calls; call++) backend.Seal(&jobs[call * batch], batch);
    sealed += Seconds() - from;
    from = with(opening);
    for (size_t call = 0; call < calls; call++) backend.Open(&jobs[call * batch], batch);
    opened += Seconds() - from;
    rounds++;
  } while ((sealed + opened) * 1000 < milliseconds);
  if (!std::all_of(jobs.begin(), jobs.end(), [](const Job& job) { return job.ok; })) {
    throw std::runtime_error("what was sealed does not open");
  }
  const double packets = static_cast<double>(rounds * count);
  return {packets / sealed, packets / opened, InitNanoseconds(backend, keys, std::max(milliseconds / 10, 1u))};
}

}  // namespace culvert::crypto
