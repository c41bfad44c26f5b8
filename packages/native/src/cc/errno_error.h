// System errors as JavaScript errors of the shape that Node's own fs errors have.
#pragma once
#include <napi.h>

namespace daos {
// Error with `code` ("EIO"), `errno` (negative number) and `syscall`.
Napi::Error ErrnoError(Napi::Env env, int error_number, const char* syscall);
}  // namespace daos
