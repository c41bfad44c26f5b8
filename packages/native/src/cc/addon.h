// Registration of the addon's parts; each adds its functions to `exports`.
#pragma once
#include <napi.h>

namespace daos {
void InitChecksum(Napi::Env env, Napi::Object exports);
void InitDigest(Napi::Env env, Napi::Object exports);
void InitFdWatcher(Napi::Env env, Napi::Object exports);
void InitFileIo(Napi::Env env, Napi::Object exports);
void InitSeqPacket(Napi::Env env, Napi::Object exports);
void InitUring(Napi::Env env, Napi::Object exports);
void InitUser(Napi::Env env, Napi::Object exports);
}  // namespace daos
