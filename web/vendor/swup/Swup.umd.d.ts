// What js/square.js uses of the file beside this one, which says `globalThis.Swup`.
interface Visit {
  to: { url: string; document?: Document };
  history: { popstate: boolean };
  scroll: { reset: boolean };
}
interface SwupInstance {
  navigate(url: string, options?: { history?: 'push' | 'replace'; method?: 'GET' | 'POST'; body?: FormData | URLSearchParams; meta?: Record<string, unknown> }): void;
  hooks: { on(name: string, handler: (visit: Visit & { meta: Record<string, unknown> }) => void): void; before(name: string, handler: (visit: Visit) => void): void };
}
declare global {
  var Swup: new (options: Record<string, unknown>) => SwupInstance;
}
export {};
