{
  "targets": [
    {
      "target_name": "daos_native",
      "sources": [
        "src/cc/addon.cc",
        "src/cc/crc32c.cc",
        "src/cc/checksum.cc",
        "src/cc/digest.cc",
        "src/cc/digest_kernels.cc",
        "src/cc/errno_error.cc",
        "src/cc/fd_watcher.cc",
        "src/cc/file_io.cc",
        "src/cc/seqpacket.cc",
        "src/cc/transfer.cc",
        "src/cc/uring.cc",
        "src/cc/uring_ring.cc",
        "src/cc/user.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      # a thread that is being terminated cannot be told of errors: without the last one that would end the process
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_CPP_EXCEPTIONS", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags!": ["-fno-exceptions"],
      "cflags_cc!": ["-fno-exceptions"],
      "cflags_cc": ["-O3", "-Wall", "-Wextra", "-Wno-unused-parameter"],
      "xcode_settings": {
        "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
        "CLANG_CXX_LIBRARY": "libc++"
      }
    }
  ]
}
