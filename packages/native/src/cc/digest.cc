#include "addon.h"
#include "digest_kernels.h"

namespace daos {
namespace {

// Numbers of container property `cksum`.
enum Type : uint32_t { kCrc64 = 3, kSha1 = 4, kSha256 = 5, kAdler32 = 7 };

size_t StateWords(uint32_t type) {
  switch (type) {
    case kAdler32: return 1;
    case kCrc64: return 2;
    case kSha1: return kSha1Words * kMultiHashLanes;
    case kSha256: return kSha256Words * kMultiHashLanes;
    default: return 0;
  }
}

void Update(uint32_t type, uint32_t* state, const uint8_t* data, size_t length) {
  switch (type) {
    case kAdler32: state[0] = Adler32Sums(state[0], data, length); break;
    case kCrc64: {
      const uint64_t crc = Crc64Register(uint64_t{state[1]} << 32 | state[0], data, length);
      state[0] = static_cast<uint32_t>(crc);
      state[1] = static_cast<uint32_t>(crc >> 32);
      break;
    }
    case kSha1: MultiHashSha1(state, data, length / kMultiHashBlockBytes); break;
    default: MultiHashSha256(state, data, length / kMultiHashBlockBytes); break;
  }
}

// digestUpdate(type, state: Int32Array, data: Uint8Array): goes on from the state, in place.
void DigestUpdate(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const uint32_t type = info[0].As<Napi::Number>().Uint32Value();
  Napi::Int32Array state = info[1].As<Napi::Int32Array>();
  const Napi::Uint8Array data = info[2].As<Napi::Uint8Array>();
  const size_t words = StateWords(type);
  if (words == 0) throw Napi::RangeError::New(env, "no such type of digest");
  if (state.ElementLength() != words) throw Napi::RangeError::New(env, "the state of this digest has another length");
  if ((type == kSha1 || type == kSha256) && data.ByteLength() % kMultiHashBlockBytes != 0) {
    throw Napi::RangeError::New(env, "a multi-hash takes whole blocks");
  }
  Update(type, reinterpret_cast<uint32_t*>(state.Data()), data.Data(), data.ByteLength());
}

}  // namespace

void InitDigest(Napi::Env env, Napi::Object exports) {
  exports.Set("digestUpdate", Napi::Function::New(env, DigestUpdate));
}

}  // namespace daos
