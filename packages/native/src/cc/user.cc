// Names of users and groups from the system's databases, whatever they are (files, LDAP, ...). A lookup may ask
// another machine, so it runs on libuv's pool.
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "addon.h"
#include "errno_error.h"

namespace daos {
namespace {

constexpr size_t kBufferBytesMin = 4096;
constexpr size_t kBufferBytesMax = 4 * 1024 * 1024;
constexpr int kGroupsMax = 65536;

// Calls `lookup` with a growing buffer. Returns 0 (found or not) or an error number.
template <typename Lookup>
int WithBuffer(Lookup lookup) {
  for (size_t bytes = kBufferBytesMin;; bytes *= 4) {
    std::vector<char> buffer(bytes);
    const int error = lookup(buffer);
    if (error != ERANGE || bytes >= kBufferBytesMax) return error;
  }
}

class LookupJob : public Napi::AsyncWorker {
 public:
  LookupJob(Napi::Env env, uid_t uid, gid_t gid)
      : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), uid_(uid), gid_(gid) {}

  Napi::Value Start() {
    Napi::Value promise = deferred_.Promise();
    Queue();
    return promise;
  }

 private:
  void Execute() override {
    error_ = UserName();
    if (error_ == 0) error_ = GroupName(gid_, group_);
    if (error_ == 0 && !user_.empty()) error_ = GroupNames();
  }

  // "Not found" has many error numbers (see getpwuid's manual); only the ones that mean "could not look" are errors.
  static int Failure(int error) {
    return error == EIO || error == EMFILE || error == ENFILE || error == ENOMEM || error == ERANGE ? error : 0;
  }

  int UserName() {
    return Failure(WithBuffer([this](std::vector<char>& buffer) {
      passwd entry;
      passwd* found = nullptr;
      const int error = getpwuid_r(uid_, &entry, buffer.data(), buffer.size(), &found);
      if (found != nullptr) user_ = found->pw_name;
      return error;
    }));
  }

  static int GroupName(gid_t gid, std::string& name) {
    return Failure(WithBuffer([gid, &name](std::vector<char>& buffer) {
      group entry;
      group* found = nullptr;
      const int error = getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found);
      if (found != nullptr) name = found->gr_name;
      return error;
    }));
  }

  int GroupNames() {
    int count = 64;
    std::vector<gid_t> ids(static_cast<size_t>(count));
    while (getgrouplist(user_.c_str(), gid_, ids.data(), &count) < 0) {
      if (count <= static_cast<int>(ids.size())) count = static_cast<int>(ids.size()) * 2;
      if (count > kGroupsMax) return E2BIG;
      ids.resize(static_cast<size_t>(count));
    }
    for (int i = 0; i < count; i++) {
      if (ids[static_cast<size_t>(i)] == gid_) continue;
      std::string name;
      const int error = GroupName(ids[static_cast<size_t>(i)], name);
      if (error != 0) return error;
      if (!name.empty()) groups_.push_back(name);
    }
    return 0;
  }

  void OnOK() override {
    Napi::Env env = Env();
    if (error_ != 0) {
      deferred_.Reject(ErrnoError(env, error_, "getpwuid").Value());
      return;
    }
    Napi::Object result = Napi::Object::New(env);
    if (!user_.empty()) result.Set("user", user_);
    if (!group_.empty()) result.Set("group", group_);
    Napi::Array groups = Napi::Array::New(env, groups_.size());
    for (uint32_t i = 0; i < groups_.size(); i++) groups.Set(i, groups_[i]);
    result.Set("groups", groups);
    deferred_.Resolve(result);
  }

  Napi::Promise::Deferred deferred_;
  uid_t uid_;
  gid_t gid_;
  int error_ = 0;
  std::string user_;
  std::string group_;
  std::vector<std::string> groups_;
};

// userNames(uid, gid): Promise<{ user?, group?, groups }>
Napi::Value UserNames(const Napi::CallbackInfo& info) {
  const uid_t uid = info[0].As<Napi::Number>().Uint32Value();
  const gid_t gid = info[1].As<Napi::Number>().Uint32Value();
  auto* job = new LookupJob(info.Env(), uid, gid);
  return job->Start();
}

}  // namespace

void InitUser(Napi::Env env, Napi::Object exports) { exports.Set("userNames", Napi::Function::New(env, UserNames)); }

}  // namespace daos
