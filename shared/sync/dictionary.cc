#include "shared/sync/dictionary.h"

namespace duhui {

RecordDictionary record_dictionary() { return {.id = 1, .bytes = {}}; }

}  // namespace duhui
