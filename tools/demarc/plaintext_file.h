// Files that plain text goes to.
#pragma once

namespace cli {

// A regular file that others may read or write is taken from them: the mode given to open() is that of a new file only.
// False: it is somebody else's, so that it cannot be. What is no regular file is left as it is.
bool keep_from_others(int fd) noexcept;

}  // namespace cli
