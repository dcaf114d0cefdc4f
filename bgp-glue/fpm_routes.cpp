#include "bgp-glue/fpm_routes.h"

namespace bgp_glue {

FpmEvents FpmRoutes::events() {
    return {[this](Time) { rib_.connected(); },
            [this](macsec::ConstOctets payload, Time now) {
                queue_.push(rib_.apply(decode_frame(payload, decoded_), now));
            },
            [this](Time) { rib_.disconnected(); }};
}

void FpmRoutes::on_listen_readable(Time now) { server_.on_listen_readable(now, events()); }
void FpmRoutes::on_connection_readable(Time now) { server_.on_connection_readable(now, events()); }
void FpmRoutes::tick(Time now) { queue_.push(rib_.tick(now)); }

}  // namespace bgp_glue
