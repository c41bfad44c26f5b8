// File transfers through io_uring on the loop of the calling thread: a batch is one system call, its end is seen by
// libuv polling the ring's descriptor (readable while there are completions).
#include <napi.h>
#include <uv.h>

#include <cerrno>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "addon.h"
#include "errno_error.h"
#include "transfer.h"
#include "uring_ring.h"

namespace daos {
namespace {

#ifdef DAOS_HAVE_URING

// Pieces of one transfer in flight: a bigger one goes in several steps and leaves room for others.
constexpr size_t kSegmentMax = kRingEntries / 4;
// What the kernel may copy while the caller waits; more is handed to its workers at once.
constexpr size_t kInlineBytesMax = 1024 * 1024;

struct Job;

// What a completion belongs to: its user_data points here.
struct Slot {
  Job* job;
  size_t piece;
};

// A transfer with its promise and the buffers it keeps alive.
struct Job {
  Job(Napi::Env env, int fd, bool chained, Napi::Object buffers)
      : transfer(fd, chained), deferred(Napi::Promise::Deferred::New(env)), keep(Napi::Persistent(buffers)) {}
  Transfer transfer;
  Napi::Promise::Deferred deferred;
  Napi::ObjectReference keep;
  size_t bytes = 0;
  size_t segment_end = 0;
  size_t outstanding = 0;
  // One per piece of the segment under way.
  std::vector<Slot> slots;
};

// The ring of one thread. Lives until the thread's environment ends.
class UringLoop {
 public:
  static UringLoop* Open(Napi::Env env);

  Napi::Value Start(std::unique_ptr<Job> job);

 private:
  explicit UringLoop(Napi::Env env) : env_(env), context_(new Napi::AsyncContext(env, "daos.Uring")) {}
  static void OnReady(uv_poll_t* poll, int status, int events);
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle hook, void* data);

  void SubmitWaiting();
  void SubmitSegment(Job* job);
  void Fill(io_uring_sqe* sqe, Job* job, size_t index, bool linked);
  void Reap();
  void Ended(Slot* slot, int result);
  void Settle(Job* job);
  void KeepAlive();

  Napi::Env env_;
  std::unique_ptr<Napi::AsyncContext> context_;
  Ring ring_;
  uv_poll_t poll_;
  std::deque<Job*> waiting_;
  size_t jobs_ = 0;
  bool ending_ = false;
};

UringLoop* UringLoop::Open(Napi::Env env) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) throw Napi::Error::New(env, "this thread has no event loop");
  std::unique_ptr<UringLoop> self(new UringLoop(env));
  int error = self->ring_.Open();
  if (error != 0) throw ErrnoError(env, error, "io_uring_setup");
  error = -uv_poll_init(loop, &self->poll_, self->ring_.fd());
  if (error != 0) throw ErrnoError(env, error, "epoll_ctl");
  self->poll_.data = self.get();
  uv_poll_start(&self->poll_, UV_READABLE, OnReady);
  uv_unref(reinterpret_cast<uv_handle_t*>(&self->poll_));
  napi_add_async_cleanup_hook(env, OnEnvironmentEnd, self.get(), nullptr);
  return self.release();
}

Napi::Value UringLoop::Start(std::unique_ptr<Job> job) {
  Napi::Value promise = job->deferred.Promise();
  jobs_++;
  waiting_.push_back(job.release());
  SubmitWaiting();
  // What the page cache answered is done already.
  Reap();
  KeepAlive();
  return promise;
}

void UringLoop::SubmitWaiting() {
  while (!waiting_.empty()) {
    Job* job = waiting_.front();
    if (!job->transfer.Finished() && ring_.Room() < kSegmentMax) return;
    waiting_.pop_front();
    if (job->transfer.Finished()) {
      Settle(job);
    } else {
      SubmitSegment(job);
    }
  }
}

void UringLoop::SubmitSegment(Job* job) {
  Transfer& transfer = job->transfer;
  job->segment_end = transfer.SegmentEnd(kSegmentMax);
  job->slots.clear();
  job->slots.reserve(job->segment_end - transfer.SegmentBegin());
  for (size_t i = transfer.SegmentBegin(); i < job->segment_end; i++) {
    if (transfer.At(i).done) continue;
    job->outstanding++;
    Fill(ring_.Next(), job, i, transfer.chained() && i + 1 < job->segment_end);
  }
  const int error = ring_.Submit([this](uint64_t user_data) {
    Slot* slot = reinterpret_cast<Slot*>(user_data);
    slot->job->transfer.At(slot->piece).result = -ECANCELED;
    slot->job->outstanding--;
  });
  if (error == 0) return;
  // The first that was not taken carries the reason; those that were taken still end.
  for (size_t i = transfer.SegmentBegin(); i < job->segment_end; i++) {
    if (transfer.At(i).result != -ECANCELED || transfer.At(i).done) continue;
    transfer.At(i).result = error == EAGAIN ? -ENOMEM : -error;
    break;
  }
  if (job->outstanding == 0) {
    transfer.Advance(job->segment_end);
    waiting_.push_front(job);
  }
}

void UringLoop::Fill(io_uring_sqe* sqe, Job* job, size_t index, bool linked) {
  Piece& piece = job->transfer.At(index);
  piece.result = 0;
  sqe->fd = job->transfer.fd();
  job->slots.push_back({job, index});
  sqe->user_data = reinterpret_cast<uint64_t>(&job->slots.back());
  if (linked) sqe->flags |= IOSQE_IO_LINK;
  if (piece.step == Step::kFlush) {
    sqe->opcode = IORING_OP_FSYNC;
    sqe->fsync_flags = IORING_FSYNC_DATASYNC;
    return;
  }
  if (job->bytes > kInlineBytesMax) sqe->flags |= IOSQE_ASYNC;
  sqe->opcode = piece.step == Step::kRead ? IORING_OP_READV : IORING_OP_WRITEV;
  sqe->off = static_cast<uint64_t>(piece.offset);
  sqe->addr = reinterpret_cast<uint64_t>(job->transfer.parts().data() + piece.first_part);
  sqe->len = static_cast<uint32_t>(piece.part_count);
}

void UringLoop::Reap() {
  uint64_t user_data;
  int result;
  while (ring_.Pop(&user_data, &result)) Ended(reinterpret_cast<Slot*>(user_data), result);
  if (!ending_) SubmitWaiting();
}

void UringLoop::Ended(Slot* slot, int result) {
  Job* job = slot->job;
  job->transfer.At(slot->piece).result = result;
  if (--job->outstanding > 0) return;
  job->transfer.Advance(job->segment_end);
  if (job->transfer.Finished()) {
    Settle(job);
  } else {
    waiting_.push_back(job);
  }
}

void UringLoop::Settle(Job* settled) {
  const std::unique_ptr<Job> job(settled);
  jobs_--;
  if (ending_) return;
  try {
    Napi::HandleScope scope(env_);
    const Transfer& transfer = job->transfer;
    if (transfer.error() != 0) {
      job->deferred.Reject(ErrnoError(env_, transfer.error(), transfer.error_call()).Value());
    } else {
      job->deferred.Resolve(Napi::Number::New(env_, transfer.bytes_read()));
    }
  } catch (const Napi::Error&) {
    // The thread is being terminated and runs no JavaScript any more: nobody waits for this promise.
  }
}

// The ring keeps the process running while something is under way.
void UringLoop::KeepAlive() {
  uv_handle_t* handle = reinterpret_cast<uv_handle_t*>(&poll_);
  if (jobs_ > 0) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void UringLoop::OnReady(uv_poll_t* poll, int, int) {
  UringLoop* self = static_cast<UringLoop*>(poll->data);
  try {
    Napi::HandleScope scope(self->env_);
    // Its end runs the promises' callbacks.
    Napi::CallbackScope callbacks(self->env_, *self->context_);
    self->Reap();
  } catch (const Napi::Error&) {
    // As in Settle: no scope can be opened. What the completions belong to is let go all the same.
    self->Reap();
  }
  self->KeepAlive();
}

// The kernel reads and fills the thread's buffers: they must outlive every transfer.
void UringLoop::OnEnvironmentEnd(napi_async_cleanup_hook_handle hook, void* data) {
  UringLoop* self = static_cast<UringLoop*>(data);
  self->ending_ = true;
  for (;;) {
    self->Reap();
    if (self->ring_.in_flight() == 0) break;
    self->ring_.Wait();
  }
  for (Job* job : self->waiting_) delete job;
  self->waiting_.clear();
  uv_poll_stop(&self->poll_);
  self->context_.reset();
  // The environment ends when the hook is removed: after the handle has closed.
  auto* handle = reinterpret_cast<uv_handle_t*>(&self->poll_);
  handle->data = new std::pair<UringLoop*, napi_async_cleanup_hook_handle>(self, hook);
  uv_close(handle, [](uv_handle_t* closed) {
    auto* ended = static_cast<std::pair<UringLoop*, napi_async_cleanup_hook_handle>*>(closed->data);
    napi_async_cleanup_hook_handle ended_hook = ended->second;
    delete ended->first;
    delete ended;
    napi_remove_async_cleanup_hook(ended_hook);
  });
}

UringLoop* LoopOf(const Napi::Value& value) { return value.As<Napi::External<UringLoop>>().Data(); }

// uringOpen(): handle of this thread's ring. Throws ENOSYS, EPERM, EOPNOTSUPP where there is none.
Napi::Value Open(const Napi::CallbackInfo& info) {
  return Napi::External<UringLoop>::New(info.Env(), UringLoop::Open(info.Env()));
}

// uringRead(ring, fd, offset, into: Uint8Array): Promise<number>
Napi::Value Read(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array into = info[3].As<Napi::Uint8Array>();
  auto job = std::make_unique<Job>(info.Env(), info[1].As<Napi::Number>().Int32Value(), true, into.As<Napi::Object>());
  job->transfer.parts().push_back({const_cast<uint8_t*>(into.Data()), into.ByteLength()});
  job->bytes = into.ByteLength();
  if (job->bytes > 0) job->transfer.AddRun(Step::kRead, info[2].As<Napi::Number>().Int64Value(), 0, 1);
  return LoopOf(info[0])->Start(std::move(job));
}

// uringWrite(ring, fd, offsets, counts, buffers, sync, inOrder): Promise<number>; runs as in write()
Napi::Value Write(const Napi::CallbackInfo& info) {
  const Napi::Array offsets = info[2].As<Napi::Array>();
  const Napi::Array counts = info[3].As<Napi::Array>();
  const Napi::Array buffers = info[4].As<Napi::Array>();
  auto job = std::make_unique<Job>(info.Env(), info[1].As<Napi::Number>().Int32Value(),
                                   info[6].As<Napi::Boolean>().Value(), buffers);
  Transfer& transfer = job->transfer;
  transfer.parts().reserve(buffers.Length());
  uint32_t next = 0;
  for (uint32_t i = 0; i < offsets.Length(); i++) {
    Napi::HandleScope scope(info.Env());
    const size_t first = transfer.parts().size();
    const uint32_t count = counts.Get(i).As<Napi::Number>().Uint32Value();
    for (uint32_t k = 0; k < count; k++) {
      const Napi::Uint8Array data = buffers.Get(next++).As<Napi::Uint8Array>();
      if (data.ByteLength() == 0) continue;
      transfer.parts().push_back({const_cast<uint8_t*>(data.Data()), data.ByteLength()});
      job->bytes += data.ByteLength();
    }
    transfer.AddRun(Step::kWrite, offsets.Get(i).As<Napi::Number>().Int64Value(), first, transfer.parts().size() - first);
  }
  if (info[5].As<Napi::Boolean>().Value()) transfer.AddFlush();
  return LoopOf(info[0])->Start(std::move(job));
}

#else

Napi::Value Open(const Napi::CallbackInfo& info) { throw ErrnoError(info.Env(), ENOSYS, "io_uring_setup"); }
Napi::Value Read(const Napi::CallbackInfo& info) { throw ErrnoError(info.Env(), ENOSYS, "io_uring_enter"); }
Napi::Value Write(const Napi::CallbackInfo& info) { throw ErrnoError(info.Env(), ENOSYS, "io_uring_enter"); }

#endif

}  // namespace

void InitUring(Napi::Env env, Napi::Object exports) {
  exports.Set("uringOpen", Napi::Function::New(env, Open));
  exports.Set("uringRead", Napi::Function::New(env, Read));
  exports.Set("uringWrite", Napi::Function::New(env, Write));
}

}  // namespace daos
