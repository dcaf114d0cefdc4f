#include "tools/demarc/plaintext_file.h"

#include <sys/stat.h>

namespace cli {

bool keep_from_others(int fd) noexcept {
    struct stat s {};
    if (fstat(fd, &s) != 0) return false;
    if (!S_ISREG(s.st_mode) || (s.st_mode & 0077) == 0) return true;
    return fchmod(fd, 0600) == 0;
}

}  // namespace cli
