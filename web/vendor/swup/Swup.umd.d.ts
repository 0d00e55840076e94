// What js/square.js uses of the file beside this one, which says `globalThis.Swup`.
interface Visit {
  to: { url: string; document?: Document };
  history: { popstate: boolean };
  scroll: { reset: boolean };
  meta: Record<string, unknown>;
}
interface Load {
  page?: unknown;
}
interface SwupInstance {
  navigate(url: string, options?: { history?: 'push' | 'replace'; method?: 'GET' | 'POST'; body?: FormData | URLSearchParams; meta?: Record<string, unknown> }): void;
  options: { requestHeaders: Record<string, string> };
  hooks: {
    on(name: string, handler: (visit: Visit) => void): void;
    before(name: string, handler: (visit: Visit) => void): void;
    replace(name: 'page:load', handler: (visit: Visit, args: Load, load: (visit: Visit, args: Load) => unknown) => unknown): void;
  };
}
declare global {
  var Swup: new (options: Record<string, unknown>) => SwupInstance;
}
export {};
