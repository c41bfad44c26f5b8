// Tells JavaScript when a descriptor is readable or writable, through libuv's poll on the loop of the calling thread.
#include <node_api.h>
#include <uv.h>

#include <cerrno>

#include "addon.h"
#include "errno_error.h"

namespace daos {
namespace {

constexpr int kReadable = 1;
constexpr int kWritable = 2;

// Lives until libuv has closed the handle. Closed by JavaScript, or when the thread's environment ends.
struct Watcher {
  uv_poll_t poll;
  napi_env env;
  napi_ref callback;
  napi_async_context context;
  napi_async_cleanup_hook_handle hook;
  bool closing;
};

void OnClosed(uv_handle_t* handle) {
  Watcher* watcher = static_cast<Watcher*>(handle->data);
  if (watcher->hook != nullptr) napi_remove_async_cleanup_hook(watcher->hook);
  delete watcher;
}

void Close(Watcher* watcher) {
  if (watcher->closing) return;
  watcher->closing = true;
  uv_poll_stop(&watcher->poll);
  napi_delete_reference(watcher->env, watcher->callback);
  napi_async_destroy(watcher->env, watcher->context);
  uv_close(reinterpret_cast<uv_handle_t*>(&watcher->poll), OnClosed);
}

void OnEnvironmentEnd(napi_async_cleanup_hook_handle, void* data) { Close(static_cast<Watcher*>(data)); }

void OnReady(uv_poll_t* poll, int status, int events) {
  Watcher* watcher = static_cast<Watcher*>(poll->data);
  napi_env env = watcher->env;
  Napi::HandleScope scope(env);
  // An error or a hang-up is reported as readiness: the next system call tells what it is.
  int ready = 0;
  if (status < 0 || (events & UV_READABLE) || (events & UV_DISCONNECT)) ready |= kReadable;
  if (status < 0 || (events & UV_WRITABLE)) ready |= kWritable;
  napi_value callback;
  napi_value receiver;
  napi_value argument;
  if (napi_get_reference_value(env, watcher->callback, &callback) != napi_ok || callback == nullptr) return;
  napi_get_global(env, &receiver);
  napi_create_int32(env, ready, &argument);
  napi_value result;
  if (napi_make_callback(env, watcher->context, receiver, callback, 1, &argument, &result) == napi_pending_exception) {
    napi_value error;
    napi_get_and_clear_last_exception(env, &error);
    napi_fatal_exception(env, error);
  }
}

Watcher* WatcherOf(const Napi::Value& value) { return value.As<Napi::External<Watcher*>>().Data()[0]; }

// watch(fd, callback: (ready: number) => void): handle. Nothing is reported before watchSet.
Napi::Value Watch(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) throw Napi::Error::New(env, "this thread has no event loop");
  Watcher* watcher = new Watcher();
  watcher->env = env;
  const int error = uv_poll_init(loop, &watcher->poll, info[0].As<Napi::Number>().Int32Value());
  if (error != 0) {
    delete watcher;
    throw ErrnoError(env, -error, "epoll_ctl");
  }
  watcher->poll.data = watcher;
  napi_create_reference(env, info[1], 1, &watcher->callback);
  napi_async_init(env, nullptr, Napi::String::New(env, "daos.FdWatcher"), &watcher->context);
  napi_add_async_cleanup_hook(env, OnEnvironmentEnd, watcher, &watcher->hook);
  // JavaScript holds a cell, emptied at close, so that a late call finds nothing rather than freed memory.
  Watcher** cell = new Watcher*(watcher);
  return Napi::External<Watcher*>::New(env, cell, [](Napi::Env, Watcher** held) { delete held; });
}

// watchSet(handle, events): 1 readable, 2 writable, 0 none
Napi::Value WatchSet(const Napi::CallbackInfo& info) {
  Watcher* watcher = WatcherOf(info[0]);
  if (watcher == nullptr) return info.Env().Undefined();
  const int wanted = info[1].As<Napi::Number>().Int32Value();
  int events = 0;
  if (wanted & kReadable) events |= UV_READABLE;
  if (wanted & kWritable) events |= UV_WRITABLE;
  const int error = events == 0 ? uv_poll_stop(&watcher->poll) : uv_poll_start(&watcher->poll, events, OnReady);
  if (error != 0) throw ErrnoError(info.Env(), -error, "epoll_ctl");
  return info.Env().Undefined();
}

// watchClose(handle): must be called before the descriptor is closed
Napi::Value WatchClose(const Napi::CallbackInfo& info) {
  Watcher** cell = info[0].As<Napi::External<Watcher*>>().Data();
  if (*cell != nullptr) {
    Close(*cell);
    *cell = nullptr;
  }
  return info.Env().Undefined();
}

// watchRef(handle, keepsAlive): whether the watcher keeps the process running
Napi::Value WatchRef(const Napi::CallbackInfo& info) {
  Watcher* watcher = WatcherOf(info[0]);
  if (watcher == nullptr) return info.Env().Undefined();
  uv_handle_t* handle = reinterpret_cast<uv_handle_t*>(&watcher->poll);
  if (info[1].As<Napi::Boolean>().Value()) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
  return info.Env().Undefined();
}

}  // namespace

void InitFdWatcher(Napi::Env env, Napi::Object exports) {
  exports.Set("watch", Napi::Function::New(env, Watch));
  exports.Set("watchSet", Napi::Function::New(env, WatchSet));
  exports.Set("watchClose", Napi::Function::New(env, WatchClose));
  exports.Set("watchRef", Napi::Function::New(env, WatchRef));
}

}  // namespace daos
