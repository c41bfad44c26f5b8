#include "addon.h"
#include "crc32c.h"

namespace daos {
namespace {

// crc32c(data: Uint8Array, crc = 0): number
Napi::Value Crc32cOf(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array data = info[0].As<Napi::Uint8Array>();
  const uint32_t seed = info.Length() > 1 ? info[1].As<Napi::Number>().Uint32Value() : 0;
  return Napi::Number::New(info.Env(), Crc32c(seed, data.Data(), data.ByteLength()));
}

// crc32cChunks(data: Uint8Array, firstBytes, chunkBytes, out: Uint32Array): number of chunks
// The first chunk may be shorter than the others: chunks lie at multiples of their size in the whole array.
Napi::Value Crc32cChunks(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array data = info[0].As<Napi::Uint8Array>();
  const size_t first = info[1].As<Napi::Number>().Uint32Value();
  const size_t chunk = info[2].As<Napi::Number>().Uint32Value();
  Napi::Uint32Array out = info[3].As<Napi::Uint32Array>();
  const size_t length = data.ByteLength();
  if (chunk == 0 || first == 0) throw Napi::RangeError::New(info.Env(), "a chunk has at least one byte");
  const size_t count = length == 0 ? 0 : 1 + (length > first ? (length - first + chunk - 1) / chunk : 0);
  if (out.ElementLength() < count) throw Napi::RangeError::New(info.Env(), "no room for all checksums");
  const uint8_t* at = data.Data();
  const uint8_t* const end = at + length;
  size_t size = first;
  for (size_t i = 0; i < count; i++) {
    const size_t left = static_cast<size_t>(end - at);
    const size_t bytes = left < size ? left : size;
    out.Data()[i] = Crc32c(0, at, bytes);
    at += bytes;
    size = chunk;
  }
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

}  // namespace

void InitChecksum(Napi::Env env, Napi::Object exports) {
  exports.Set("crc32c", Napi::Function::New(env, Crc32cOf));
  exports.Set("crc32cChunks", Napi::Function::New(env, Crc32cChunks));
  exports.Set("crc32cImplementation", Napi::String::New(env, Crc32cImplementation()));
}

}  // namespace daos
