// The page's policy lets no text become script or markup (Trusted Types). The
// one exception is the address of the map's worker: MapLibre starts it from a
// string, which the browser asks this rule about. Everything else it refuses.

interface Factory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string | null }): unknown;
}

/** Lets the script of exactly this address be started. Once, before the map. */
export function allowWorker(url: string): void {
  const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;
  factory?.createPolicy("default", {
    createScriptURL: (asked) => (asked === url ? asked : null),
  });
}
