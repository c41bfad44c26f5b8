// One read, or one batch of writes with its flush: what is handed to the kernel, and how far it has come.
#pragma once
#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <vector>

namespace daos {

enum class Step : uint8_t { kRead, kWrite, kFlush };

// One submission: a part of a run, or the flush behind all of them.
struct Piece {
  Step step;
  bool done;
  off_t offset;
  size_t first_part;
  size_t part_count;
  size_t bytes;
  int result;
};

// Pieces are submitted in segments; a segment has ended when all its results are there. In order (`chained`), a piece
// starts when the one before it has ended well. Otherwise writes may overtake each other, the flush still comes last.
class Transfer {
 public:
  Transfer(int fd, bool chained) : fd_(fd), chained_(chained) {}

  int fd() const { return fd_; }
  bool chained() const { return chained_; }
  std::vector<iovec>& parts() { return parts_; }
  void AddRun(Step step, off_t offset, size_t first_part, size_t part_count);
  void AddFlush() { pieces_.push_back({Step::kFlush, false, 0, 0, 0, 0, 0}); }

  bool Finished() const { return error_ != 0 || next_ == pieces_.size(); }
  // The pieces to submit next, at most `limit`: [begin, end).
  size_t SegmentBegin() const { return next_; }
  size_t SegmentEnd(size_t limit) const;
  Piece& At(size_t index) { return pieces_[index]; }
  // All results of [SegmentBegin(), end) are there: notes what is done, and what has to be submitted again.
  void Advance(size_t end);

  int error() const { return error_; }
  const char* error_call() const { return error_call_; }
  double bytes_read() const { return bytes_read_; }

 private:
  void Take(Piece& piece);
  void Fail(int error_number, const char* call);
  void Shorten(Piece& piece, size_t bytes);

  int fd_;
  bool chained_;
  std::vector<iovec> parts_;
  std::vector<Piece> pieces_;
  size_t next_ = 0;
  int again_ = 0;
  int error_ = 0;
  const char* error_call_ = "";
  double bytes_read_ = 0;
};

}  // namespace daos
