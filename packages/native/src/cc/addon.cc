#include "addon.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  daos::InitChecksum(env, exports);
  daos::InitDigest(env, exports);
  daos::InitFdWatcher(env, exports);
  daos::InitFileIo(env, exports);
  daos::InitSeqPacket(env, exports);
  daos::InitUring(env, exports);
  daos::InitUser(env, exports);
  return exports;
}

// NODE_API_MODULE keeps no state of its own, so the addon loads in any number of worker threads.
NODE_API_MODULE(daos_native, Init)
