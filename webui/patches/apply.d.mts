export type Hunk = { readonly at: number; readonly lines: readonly string[] };
export function readPatch(text: string): Map<string, Hunk[]>;
export function patchText(text: string, hunks: readonly Hunk[]): string;
export function applyPatch(name: string, modules: string, folder?: string): number;
export function applyAll(modules?: string): number;
