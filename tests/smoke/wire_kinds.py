"""What was on the wires, by EtherType: lossless counters where a frame enters a bridge's port in namespace `wire`.

    wire = wire_kinds.Wire(namespace, ("e1", "w1"))    counts from now on
    wire.only_secured()                                 fails if anything but MACsec and MKPDUs passed; says how many
"""
import json
import subprocess

from pair import expect

KINDS = ("macsec", "eapol", "other")


class Wire:
    def __init__(self, namespace, devices):
        self.namespace, self.devices = namespace, devices
        self.nft("-f", "-", text="table netdev kinds {\n" + "\n".join(map(self.rules, devices)) + "\n}\n")

    @staticmethod
    def rules(device):
        counters = "\n".join(f"  counter {device}_{kind} {{ }}" for kind in KINDS)
        return (f"{counters}\n  chain {device} {{\n"
                f"    type filter hook ingress device \"{device}\" priority -500; policy accept;\n"
                f"    ether type 0x88e5 counter name {device}_macsec accept\n"
                f"    ether type 0x888e counter name {device}_eapol accept\n"
                f"    counter name {device}_other\n  }}")

    def nft(self, *words, text=None):
        done = subprocess.run(["ip", "netns", "exec", self.namespace, "nft", *words], input=text, text=True,
                              capture_output=True, check=False)
        expect(done.returncode == 0, f"nft: {done.stderr.strip()}")
        return done.stdout

    def counts(self):
        """{"e1": {"macsec": 5, "eapol": 3, "other": 0}, ...}"""
        listed = json.loads(self.nft("-j", "list", "counters", "table", "netdev", "kinds"))["nftables"]
        packets = {c["counter"]["name"]: c["counter"]["packets"] for c in listed if "counter" in c}
        return {device: {kind: packets[f"{device}_{kind}"] for kind in KINDS} for device in self.devices}

    def only_secured(self):
        """Each device has sent MACsec frames and MKPDUs, else it was no wire of ours; how many, in words."""
        seen = self.counts()
        for device, kinds in seen.items():
            expect(kinds["other"] == 0, f"on the wire, from {device}: {kinds}")
            expect(kinds["macsec"] > 0 and kinds["eapol"] > 0, f"the counters saw nothing: {seen}")
        return (f"{sum(k['macsec'] for k in seen.values())} frames of 0x88e5, "
                f"{sum(k['eapol'] for k in seen.values())} of 0x888e, 0 of anything else")
