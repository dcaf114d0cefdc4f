// The stages of the pipeline, in the order in which pipeline.cpp calls them. Each works on the whole batch and says
// what stops a frame by its verdict; settle() takes those frames out. The worker's own thread only.
#pragma once

#include "dataplane/batch.h"
#include "dataplane/forwarding.h"
#include "dataplane/stage.h"

namespace dataplane {

struct Worker;

// ingress: a batch of one port's frames
void receive(Worker&, const Forwarding&, Batch&) noexcept;    // fills the batch from Batch::port
void classify(Worker&, const Forwarding&, Batch&) noexcept;   // 0x88E5, EAPOL, clear; destination MAC address
void verify(Worker&, const Forwarding&, Batch&) noexcept;     // MACsec off
void pop_vlan(Worker&, const Forwarding&, Batch&) noexcept;   // tags off; ingress interface
void route(Worker&, const Forwarding&, Batch&) noexcept;      // to the host, or to a next hop
void police(Worker&, const Forwarding&, Batch&) noexcept;     // bandwidth of connections, both directions
void rewrite(Worker&, const Forwarding&, Batch&) noexcept;    // addresses of the next hop
void hand_over(Worker&, const Forwarding&,
               Batch&) noexcept;  // to the port's queue, ours or another worker's; empties it

// egress: frames from rings to ports' queues, then each port's queue
void collect(Worker&, const Forwarding&, Batch&) noexcept;    // from other workers; whole, leaves the batch empty
void inject(Worker&, const Forwarding&, Batch&) noexcept;     // from control; whole, leaves the batch empty
// Fills the batch with the next frames of Batch::port's queue: ours first. False: nothing left.
bool next_egress(Worker&, const Forwarding&, Batch&) noexcept;
void push_vlan(Worker&, const Forwarding&, Batch&) noexcept;  // tags inside MACsec, and clear tags
void protect(Worker&, const Forwarding&, Batch&) noexcept;    // MACsec on, or dropped
void transmit(Worker&, const Forwarding&, Batch&) noexcept;   // to the device; empties the batch

// At the end of a turn in which frames are held: those of a port that is gone are freed and counted.
void drop_held_of_gone_ports(Worker&, const Forwarding&) noexcept;
// Between a stage and settle(), while somebody watches: copies what they want to see of the batch. Changes nothing.
void capture(Worker&, const Forwarding&, const Batch&, Stage) noexcept;
void trace(Worker&, const Forwarding&, const Batch&, Stage) noexcept;
void trace_before_transmit(Worker&, const Forwarding&, const Batch&) noexcept;  // which leaves the batch empty

// Frames whose verdict is not `forward` leave the batch: drops are freed and counted, punts go to control.
void settle(Worker&, const Forwarding&, Batch&) noexcept;

}  // namespace dataplane
