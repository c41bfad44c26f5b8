#include "uring_ring.h"

#ifdef DAOS_HAVE_URING
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

// The same numbers on every architecture but alpha, for C libraries that are older than the kernel.
#ifndef __NR_io_uring_setup
#define __NR_io_uring_setup 425
#define __NR_io_uring_enter 426
#define __NR_io_uring_register 427
#endif
// Linux 5.19: completions wait for the thread's next system call rather than interrupt it.
#ifndef IORING_SETUP_COOP_TASKRUN
#define IORING_SETUP_COOP_TASKRUN (1U << 8)
#endif

namespace daos {
namespace {

// Submitting again after the kernel was short of memory: often enough for a passing shortage.
constexpr int kSubmitTriesMax = 64;

unsigned Load(const unsigned* at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
void Store(unsigned* at, unsigned value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }

int Setup(io_uring_params* params, unsigned flags) {
  std::memset(params, 0, sizeof(*params));
  params->flags = flags;
  return static_cast<int>(syscall(__NR_io_uring_setup, kRingEntries, params));
}

}  // namespace

Ring::~Ring() {
  if (sqes_ != nullptr) munmap(sqes_, sqes_bytes_);
  if (rings_ != nullptr) munmap(rings_, rings_bytes_);
  if (fd_ >= 0) close(fd_);
}

int Ring::Open() {
  io_uring_params params;
  fd_ = Setup(&params, IORING_SETUP_COOP_TASKRUN);
  if (fd_ < 0 && errno == EINVAL) fd_ = Setup(&params, 0);
  if (fd_ < 0) return errno;
  fcntl(fd_, F_SETFD, FD_CLOEXEC);
  constexpr unsigned kNeeded = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP;
  if ((params.features & kNeeded) != kNeeded || !Supports()) return EOPNOTSUPP;
  return Map(params);
}

bool Ring::Supports() const {
  constexpr unsigned kOps = 256;
  std::vector<uint64_t> space((sizeof(io_uring_probe) + kOps * sizeof(io_uring_probe_op)) / sizeof(uint64_t) + 1, 0);
  auto* probe = reinterpret_cast<io_uring_probe*>(space.data());
  if (syscall(__NR_io_uring_register, fd_, IORING_REGISTER_PROBE, probe, kOps) != 0) return false;
  const auto has = [probe](unsigned op) { return op < probe->ops_len && (probe->ops[op].flags & IO_URING_OP_SUPPORTED); };
  return has(IORING_OP_READV) && has(IORING_OP_WRITEV) && has(IORING_OP_FSYNC);
}

int Ring::Map(const io_uring_params& params) {
  const size_t sq_bytes = params.sq_off.array + params.sq_entries * sizeof(unsigned);
  const size_t cq_bytes = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
  rings_bytes_ = std::max(sq_bytes, cq_bytes);
  void* rings = mmap(nullptr, rings_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_, IORING_OFF_SQ_RING);
  if (rings == MAP_FAILED) return errno;
  rings_ = rings;
  sqes_bytes_ = params.sq_entries * sizeof(io_uring_sqe);
  void* sqes = mmap(nullptr, sqes_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_, IORING_OFF_SQES);
  if (sqes == MAP_FAILED) return errno;
  sqes_ = static_cast<io_uring_sqe*>(sqes);
  auto at = [rings](unsigned offset) { return reinterpret_cast<unsigned*>(static_cast<char*>(rings) + offset); };
  sq_head_ = at(params.sq_off.head);
  sq_tail_ = at(params.sq_off.tail);
  sq_array_ = at(params.sq_off.array);
  sq_mask_ = *at(params.sq_off.ring_mask);
  cq_head_ = at(params.cq_off.head);
  cq_tail_ = at(params.cq_off.tail);
  cq_mask_ = *at(params.cq_off.ring_mask);
  cqes_ = reinterpret_cast<io_uring_cqe*>(at(params.cq_off.cqes));
  return 0;
}

io_uring_sqe* Ring::Next() {
  const unsigned tail = *sq_tail_;
  const unsigned slot = tail & sq_mask_;
  io_uring_sqe* sqe = &sqes_[slot];
  std::memset(sqe, 0, sizeof(*sqe));
  sq_array_[slot] = slot;
  Store(sq_tail_, tail + 1);
  in_flight_++;
  return sqe;
}

unsigned Ring::Unsubmitted() const { return *sq_tail_ - Load(sq_head_); }

int Ring::Enter() {
  int tries = 0;
  while (Unsubmitted() > 0) {
    const long taken = syscall(__NR_io_uring_enter, fd_, Unsubmitted(), 0, 0, nullptr, 0);
    if (taken > 0 || (taken < 0 && errno == EINTR)) continue;
    const int error = taken < 0 ? errno : EAGAIN;
    if ((error != EAGAIN && error != EBUSY) || ++tries == kSubmitTriesMax) return error;
    sched_yield();
  }
  return 0;
}

uint64_t Ring::TakeBack() {
  const unsigned tail = *sq_tail_ - 1;
  Store(sq_tail_, tail);
  in_flight_--;
  return sqes_[tail & sq_mask_].user_data;
}

bool Ring::Pop(uint64_t* user_data, int* result) {
  const unsigned head = *cq_head_;
  if (head == Load(cq_tail_)) return false;
  const io_uring_cqe& cqe = cqes_[head & cq_mask_];
  *user_data = cqe.user_data;
  *result = cqe.res;
  Store(cq_head_, head + 1);
  in_flight_--;
  return true;
}

void Ring::Wait() {
  while (syscall(__NR_io_uring_enter, fd_, 0, 1, IORING_ENTER_GETEVENTS, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace daos
#endif
