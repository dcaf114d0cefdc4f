// Any octets as a configuration: refused with words, or a model that validate(), print() and diff() can handle and that
// is read back as itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/diff.h"
#include "config/parse.h"
#include "config/print.h"
#include "config/validate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto model = config::parse({reinterpret_cast<const char*>(data), size}, "input");
    if (!model) {
        if (model.error().empty()) std::abort();
        return 0;
    }
    config::validate(*model);
    config::warnings(*model);
    for (const auto form : {config::Form::canonical, config::Form::resolved}) {
        const auto again = config::parse(config::print(*model, form), "printed");
        if (!again || !(*again == *model) || !config::diff(*model, *again).empty()) std::abort();
    }
    return 0;
}
