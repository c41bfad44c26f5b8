// An io_uring instance through the kernel's own interface: set-up, submission queue, completion queue. No liburing.
#pragma once

#if defined(__linux__) && defined(__has_include)
#if __has_include(<linux/io_uring.h>)
#include <linux/io_uring.h>
#endif
#endif

// Headers before Linux 5.7 lack what is used here; without them the addon builds and says "no io_uring".
#ifdef IORING_FEAT_FAST_POLL
#define DAOS_HAVE_URING 1

#include <cstddef>
#include <cstdint>

namespace daos {

// What the queues hold. A submission is at most half of it, so that two callers can be in flight.
constexpr unsigned kRingEntries = 256;

class Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring();

  // 0, or the errno of the step that failed: ENOSYS, EPERM (container policy), EOPNOTSUPP (kernel too old).
  int Open();

  int fd() const { return fd_; }
  unsigned in_flight() const { return in_flight_; }
  // How many submissions fit now, so that their completions fit too.
  unsigned Room() const { return in_flight_ < kRingEntries ? kRingEntries - in_flight_ : 0; }

  // The next submission, zeroed. The caller has checked Room().
  io_uring_sqe* Next();
  // Hands all submissions made since to the kernel; 0 or an errno, then those that it did not take are dropped and
  // their user data passed to `dropped`.
  template <typename Dropped>
  int Submit(Dropped dropped) {
    const int error = Enter();
    if (error != 0) {
      while (Unsubmitted() > 0) dropped(TakeBack());
    }
    return error;
  }
  // One completion, if there is one.
  bool Pop(uint64_t* user_data, int* result);
  // Blocks until a completion is there (the end of a thread waits for its transfers).
  void Wait();

 private:
  int Map(const io_uring_params& params);
  bool Supports() const;
  int Enter();
  unsigned Unsubmitted() const;
  uint64_t TakeBack();

  int fd_ = -1;
  unsigned in_flight_ = 0;
  void* rings_ = nullptr;
  size_t rings_bytes_ = 0;
  io_uring_sqe* sqes_ = nullptr;
  size_t sqes_bytes_ = 0;
  unsigned* sq_head_ = nullptr;
  unsigned* sq_tail_ = nullptr;
  unsigned* sq_array_ = nullptr;
  unsigned sq_mask_ = 0;
  unsigned* cq_head_ = nullptr;
  unsigned* cq_tail_ = nullptr;
  io_uring_cqe* cqes_ = nullptr;
  unsigned cq_mask_ = 0;
};

}  // namespace daos
#endif
