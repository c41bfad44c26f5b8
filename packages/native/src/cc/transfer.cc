#include "transfer.h"

#include <limits.h>

#include <algorithm>
#include <cerrno>

#ifndef IOV_MAX
#define IOV_MAX 1024
#endif

namespace daos {
namespace {
// Submissions of one transfer that the kernel may interrupt before that is an error.
constexpr int kAgainMax = 1000;

const char* CallOf(Step step) {
  if (step == Step::kRead) return "pread";
  return step == Step::kWrite ? "pwritev" : "fdatasync";
}
}  // namespace

void Transfer::AddRun(Step step, off_t offset, size_t first_part, size_t part_count) {
  const size_t end = first_part + part_count;
  while (first_part < end) {
    const size_t count = std::min<size_t>(end - first_part, IOV_MAX);
    size_t bytes = 0;
    for (size_t i = first_part; i < first_part + count; i++) bytes += parts_[i].iov_len;
    pieces_.push_back({step, false, offset, first_part, count, bytes, 0});
    offset += static_cast<off_t>(bytes);
    first_part += count;
  }
}

size_t Transfer::SegmentEnd(size_t limit) const {
  size_t end = next_;
  while (end < pieces_.size() && end - next_ < limit) {
    // Without order between the writes the flush waits until all of them have ended.
    if (!chained_ && pieces_[end].step == Step::kFlush && end > next_) break;
    end++;
  }
  return end;
}

void Transfer::Advance(size_t end) {
  bool progress = false;
  for (size_t i = next_; i < end && error_ == 0; i++) {
    Piece& piece = pieces_[i];
    if (piece.done) continue;
    // Behind a short write of a chain all others are cancelled; they go again. Alone it is an error like any other.
    if (piece.result == -ECANCELED && chained_ && progress) break;
    Take(piece);
    progress = true;
    if (chained_ && !piece.done) break;
  }
  while (next_ < pieces_.size() && pieces_[next_].done) next_++;
}

void Transfer::Take(Piece& piece) {
  const int result = piece.result;
  if ((result == -EINTR || result == -EAGAIN) && again_++ < kAgainMax) return;
  if (result < 0) return Fail(-result, CallOf(piece.step));
  const size_t bytes = static_cast<size_t>(result);
  if (piece.step == Step::kRead) bytes_read_ += static_cast<double>(bytes);
  const bool at_end = piece.step == Step::kRead && bytes == 0;
  if (piece.step == Step::kFlush || at_end || bytes >= piece.bytes) {
    piece.done = true;
  } else if (bytes == 0) {
    Fail(EIO, CallOf(piece.step));
  } else {
    Shorten(piece, bytes);
  }
}

void Transfer::Fail(int error_number, const char* call) {
  error_ = error_number;
  error_call_ = call;
}

void Transfer::Shorten(Piece& piece, size_t bytes) {
  piece.offset += static_cast<off_t>(bytes);
  piece.bytes -= bytes;
  while (bytes > 0) {
    iovec& part = parts_[piece.first_part];
    if (bytes < part.iov_len) {
      part.iov_base = static_cast<uint8_t*>(part.iov_base) + bytes;
      part.iov_len -= bytes;
      return;
    }
    bytes -= part.iov_len;
    piece.first_part++;
    piece.part_count--;
  }
}

}  // namespace daos
