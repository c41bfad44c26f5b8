// Reads and writes of data files. Asynchronous calls run on libuv's pool, one job per call however many system calls
// it makes: a hop between threads costs more than a small write.
#include <fcntl.h>
#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "addon.h"
#include "errno_error.h"

#ifndef IOV_MAX
#define IOV_MAX 1024
#endif

namespace daos {
namespace {

// A job whose promise settles with a number or a system error.
class FileJob : public Napi::AsyncWorker {
 public:
  explicit FileJob(Napi::Env env) : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)) {}

  Napi::Value Start() {
    Napi::Value promise = deferred_.Promise();
    Queue();
    return promise;
  }

 protected:
  virtual void Run() = 0;

  void Fail(int error_number, const char* syscall) {
    error_number_ = error_number;
    syscall_ = syscall;
  }

  double result_ = 0;

 private:
  void Execute() override { Run(); }

  void OnOK() override {
    if (error_number_ != 0) {
      deferred_.Reject(ErrnoError(Env(), error_number_, syscall_).Value());
    } else {
      deferred_.Resolve(Napi::Number::New(Env(), result_));
    }
  }

  Napi::Promise::Deferred deferred_;
  int error_number_ = 0;
  const char* syscall_ = "";
};

class ReadJob : public FileJob {
 public:
  ReadJob(Napi::Env env, int fd, off_t offset, Napi::Uint8Array into)
      : FileJob(env), fd_(fd), offset_(offset), data_(into.Data()), length_(into.ByteLength()) {
    keep_ = Napi::Persistent(into.As<Napi::Object>());
  }

 private:
  void Run() override {
    size_t done = 0;
    while (done < length_) {
      const ssize_t got = pread(fd_, data_ + done, length_ - done, offset_ + static_cast<off_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Fail(errno, "pread");
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    result_ = static_cast<double>(done);
  }

  int fd_;
  off_t offset_;
  uint8_t* data_;
  size_t length_;
  Napi::ObjectReference keep_;
};

struct IoRun {
  off_t offset;
  std::vector<iovec> parts;
};

class WriteJob : public FileJob {
 public:
  WriteJob(Napi::Env env, int fd, bool sync, std::vector<IoRun> runs, Napi::Object keep)
      : FileJob(env), fd_(fd), sync_(sync), runs_(std::move(runs)) {
    keep_ = Napi::Persistent(keep);
  }

 private:
  void Run() override {
    for (IoRun& run : runs_) {
      if (!WriteAll(run)) return;
    }
    if (!sync_) return;
    while (fdatasync(fd_) != 0) {
      if (errno != EINTR) return Fail(errno, "fdatasync");
    }
  }

  bool WriteAll(IoRun& run) {
    size_t first = 0;
    while (first < run.parts.size()) {
      const size_t count = run.parts.size() - first;
      const int batch = static_cast<int>(count < IOV_MAX ? count : IOV_MAX);
      const ssize_t put = pwritev(fd_, run.parts.data() + first, batch, run.offset);
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) {
        Fail(put == 0 ? EIO : errno, "pwritev");
        return false;
      }
      run.offset += put;
      size_t left = static_cast<size_t>(put);
      while (first < run.parts.size() && left >= run.parts[first].iov_len) left -= run.parts[first++].iov_len;
      if (left > 0) {
        run.parts[first].iov_base = static_cast<uint8_t*>(run.parts[first].iov_base) + left;
        run.parts[first].iov_len -= left;
      }
    }
    return true;
  }

  int fd_;
  bool sync_;
  std::vector<IoRun> runs_;
  Napi::ObjectReference keep_;
};

class AllocateJob : public FileJob {
 public:
  AllocateJob(Napi::Env env, int fd, off_t offset, off_t length)
      : FileJob(env), fd_(fd), offset_(offset), length_(length) {}

 private:
  void Run() override {
#ifdef FALLOC_FL_KEEP_SIZE
    while (fallocate(fd_, FALLOC_FL_KEEP_SIZE, offset_, length_) != 0) {
      if (errno != EINTR) return Fail(errno, "fallocate");
    }
#else
    Fail(EOPNOTSUPP, "fallocate");
#endif
  }

  int fd_;
  off_t offset_;
  off_t length_;
};

off_t OffsetOf(const Napi::Value& value) { return static_cast<off_t>(value.As<Napi::Number>().Int64Value()); }

// read(fd, offset, into: Uint8Array): Promise<number>
Napi::Value Read(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>().Int32Value();
  auto* job = new ReadJob(info.Env(), fd, OffsetOf(info[1]), info[2].As<Napi::Uint8Array>());
  return job->Start();
}

// readNow(fd, offset, into: Uint8Array): number of bytes, or -1 when it would have to wait
Napi::Value ReadNow(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>().Int32Value();
  Napi::Uint8Array into = info[2].As<Napi::Uint8Array>();
#ifdef RWF_NOWAIT
  iovec part{into.Data(), into.ByteLength()};
  ssize_t got;
  do {
    got = preadv2(fd, &part, 1, OffsetOf(info[1]), RWF_NOWAIT);
  } while (got < 0 && errno == EINTR);
  // A file system that cannot tell (EOPNOTSUPP) is one that may wait.
  if (got < 0 && errno != EAGAIN && errno != EOPNOTSUPP && errno != ENOSYS) {
    throw ErrnoError(info.Env(), errno, "preadv2");
  }
  return Napi::Number::New(info.Env(), static_cast<double>(got));
#else
  return Napi::Number::New(info.Env(), -1);
#endif
}

// write(fd, offsets: number[], counts: number[], buffers: Uint8Array[], sync: boolean): Promise<number>
// Run i holds the next counts[i] buffers and starts at offsets[i].
Napi::Value Write(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>().Int32Value();
  const Napi::Array offsets = info[1].As<Napi::Array>();
  const Napi::Array counts = info[2].As<Napi::Array>();
  const Napi::Array buffers = info[3].As<Napi::Array>();
  const bool sync = info[4].As<Napi::Boolean>().Value();
  std::vector<IoRun> runs(offsets.Length());
  uint32_t next = 0;
  for (uint32_t i = 0; i < runs.size(); i++) {
    Napi::HandleScope scope(info.Env());
    runs[i].offset = OffsetOf(offsets.Get(i));
    const uint32_t count = counts.Get(i).As<Napi::Number>().Uint32Value();
    runs[i].parts.reserve(count);
    for (uint32_t k = 0; k < count; k++) {
      const Napi::Uint8Array data = buffers.Get(next++).As<Napi::Uint8Array>();
      if (data.ByteLength() > 0) runs[i].parts.push_back({const_cast<uint8_t*>(data.Data()), data.ByteLength()});
    }
  }
  auto* job = new WriteJob(info.Env(), fd, sync, std::move(runs), buffers);
  return job->Start();
}

// allocate(fd, offset, length): Promise<number>; 0 when the range has blocks
Napi::Value Allocate(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>().Int32Value();
  auto* job = new AllocateJob(info.Env(), fd, OffsetOf(info[1]), OffsetOf(info[2]));
  return job->Start();
}

// remainder(buffer: Uint8Array, alignment: number): its address modulo `alignment`
Napi::Value Remainder(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array data = info[0].As<Napi::Uint8Array>();
  const uint32_t alignment = info[1].As<Napi::Number>().Uint32Value();
  return Napi::Number::New(info.Env(), static_cast<double>(reinterpret_cast<uintptr_t>(data.Data()) % alignment));
}

// size(fd): bytes of a file or of a block device
Napi::Value Size(const Napi::CallbackInfo& info) {
  const off_t size = lseek(info[0].As<Napi::Number>().Int32Value(), 0, SEEK_END);
  if (size < 0) throw ErrnoError(info.Env(), errno, "lseek");
  return Napi::Number::New(info.Env(), static_cast<double>(size));
}

}  // namespace

void InitFileIo(Napi::Env env, Napi::Object exports) {
  exports.Set("read", Napi::Function::New(env, Read));
  exports.Set("readNow", Napi::Function::New(env, ReadNow));
  exports.Set("write", Napi::Function::New(env, Write));
  exports.Set("allocate", Napi::Function::New(env, Allocate));
  exports.Set("remainder", Napi::Function::New(env, Remainder));
  exports.Set("size", Napi::Function::New(env, Size));
}

}  // namespace daos
