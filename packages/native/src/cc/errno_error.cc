#include "errno_error.h"

#include <uv.h>

#include <string>

namespace daos {

Napi::Error ErrnoError(Napi::Env env, int error_number, const char* syscall) {
  const int uv_error = uv_translate_sys_error(error_number);
  const std::string code = uv_err_name(uv_error);
  Napi::Error error = Napi::Error::New(env, code + ": " + uv_strerror(uv_error) + ", " + syscall);
  error.Set("code", Napi::String::New(env, code));
  error.Set("errno", Napi::Number::New(env, uv_error));
  error.Set("syscall", Napi::String::New(env, syscall));
  return error;
}

}  // namespace daos
