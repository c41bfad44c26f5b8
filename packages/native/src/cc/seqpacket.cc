// System calls of Unix sequential-packet sockets, which Node's net module does not have. None of them waits: -1 says
// "try again when the watcher reports readiness". Everything above system calls is in TypeScript.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "addon.h"
#include "errno_error.h"

namespace daos {
namespace {

// Room for a few of the largest packets; the system may grant less.
constexpr int kSendBufferBytes = 512 * 1024;

int FdOf(const Napi::Value& value) { return value.As<Napi::Number>().Int32Value(); }

bool WouldWait(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

sockaddr_un AddressOf(const Napi::CallbackInfo& info) {
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) throw ErrnoError(info.Env(), ENAMETOOLONG, "bind");
  memcpy(address.sun_path, path.data(), path.size());
  return address;
}

int OpenSocket(Napi::Env env) {
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) throw ErrnoError(env, errno, "socket");
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
  return fd;
}

Napi::Error CloseWith(Napi::Env env, int fd, const char* syscall) {
  const int error = errno;
  close(fd);
  return ErrnoError(env, error, syscall);
}

// seqListen(path, mode, backlog): fd. The mode is set before anyone can connect.
Napi::Value Listen(const Napi::CallbackInfo& info) {
  const sockaddr_un address = AddressOf(info);
  const mode_t mode = info[1].As<Napi::Number>().Uint32Value();
  const int fd = OpenSocket(info.Env());
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) throw CloseWith(info.Env(), fd, "bind");
  if (chmod(address.sun_path, mode) != 0) throw CloseWith(info.Env(), fd, "chmod");
  if (listen(fd, FdOf(info[2])) != 0) throw CloseWith(info.Env(), fd, "listen");
  return Napi::Number::New(info.Env(), fd);
}

// seqConnect(path): fd, or -1 when the listener's backlog is full
Napi::Value Connect(const Napi::CallbackInfo& info) {
  const sockaddr_un address = AddressOf(info);
  const int fd = OpenSocket(info.Env());
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (!WouldWait(errno)) throw CloseWith(info.Env(), fd, "connect");
    close(fd);
    return Napi::Number::New(info.Env(), -1);
  }
  return Napi::Number::New(info.Env(), fd);
}

// seqAccept(fd): fd of the connection, or -1
Napi::Value Accept(const Napi::CallbackInfo& info) {
  const int fd = accept4(FdOf(info[0]), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0 && !WouldWait(errno) && errno != ECONNABORTED) throw ErrnoError(info.Env(), errno, "accept");
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
  return Napi::Number::New(info.Env(), fd);
}

// seqReceive(fd, into: Uint8Array): length of the packet, which may exceed `into` (then it was cut), 0 at the end, or -1
Napi::Value Receive(const Napi::CallbackInfo& info) {
  Napi::Uint8Array into = info[1].As<Napi::Uint8Array>();
  const ssize_t got = recv(FdOf(info[0]), into.Data(), into.ByteLength(), MSG_DONTWAIT | MSG_TRUNC);
  if (got < 0 && !WouldWait(errno)) throw ErrnoError(info.Env(), errno, "recv");
  return Napi::Number::New(info.Env(), static_cast<double>(got));
}

// seqSend(fd, parts: Uint8Array[]): bytes of the one packet sent, or -1
Napi::Value Send(const Napi::CallbackInfo& info) {
  const Napi::Array parts = info[1].As<Napi::Array>();
  std::vector<iovec> vectors(parts.Length());
  for (uint32_t i = 0; i < vectors.size(); i++) {
    const Napi::Uint8Array part = parts.Get(i).As<Napi::Uint8Array>();
    vectors[i] = {const_cast<uint8_t*>(part.Data()), part.ByteLength()};
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = vectors.size();
  const ssize_t put = sendmsg(FdOf(info[0]), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put < 0 && !WouldWait(errno) && errno != ENOBUFS) throw ErrnoError(info.Env(), errno, "sendmsg");
  return Napi::Number::New(info.Env(), static_cast<double>(put));
}

// peerCredentials(fd): who connected, as the kernel recorded it
Napi::Value PeerCredentials(const Napi::CallbackInfo& info) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (getsockopt(FdOf(info[0]), SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    throw ErrnoError(info.Env(), errno, "getsockopt");
  }
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("pid", static_cast<double>(credentials.pid));
  result.Set("uid", static_cast<double>(credentials.uid));
  result.Set("gid", static_cast<double>(credentials.gid));
  return result;
}

// closeFd(fd)
Napi::Value CloseFd(const Napi::CallbackInfo& info) {
  // After EINTR the descriptor is closed on Linux; closing again could hit another one.
  if (close(FdOf(info[0])) != 0 && errno != EINTR) throw ErrnoError(info.Env(), errno, "close");
  return info.Env().Undefined();
}

}  // namespace

void InitSeqPacket(Napi::Env env, Napi::Object exports) {
  exports.Set("seqListen", Napi::Function::New(env, Listen));
  exports.Set("seqConnect", Napi::Function::New(env, Connect));
  exports.Set("seqAccept", Napi::Function::New(env, Accept));
  exports.Set("seqReceive", Napi::Function::New(env, Receive));
  exports.Set("seqSend", Napi::Function::New(env, Send));
  exports.Set("peerCredentials", Napi::Function::New(env, PeerCredentials));
  exports.Set("closeFd", Napi::Function::New(env, CloseFd));
}

}  // namespace daos
