// How much memory a decoder asked for: buffers by watching who makes them, values by walking over what came out.

const makers = ['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const;
type Maker = (size: number, ...rest: unknown[]) => Buffer;

/** @returns what `work` returned, and how many bytes of buffers it asked for */
export function counted<T>(work: () => T): { readonly result: T; readonly bufferBytes: number } {
  const originals = makers.map((name) => [name, Object.getOwnPropertyDescriptor(Buffer, name)] as const);
  let bufferBytes = 0;
  for (const [name, original] of originals) {
    const make = original?.value as Maker;
    const watched: Maker = (size, ...rest) => {
      bufferBytes += size;
      return make.call(Buffer, size, ...rest);
    };
    Object.defineProperty(Buffer, name, { ...original, value: watched });
  }
  try {
    return { result: work(), bufferBytes };
  } finally {
    for (const [name, original] of originals) if (original !== undefined) Object.defineProperty(Buffer, name, original);
  }
}

/** Numbers and truths count one, texts and bytes their length, objects and lists one and what is in them. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof Uint8Array) return value.length;
  if (typeof value !== 'object' || value === null) return 1;
  let size = 1;
  for (const part of Array.isArray(value) ? value : Object.values(value)) size += sizeOf(part);
  return size;
}
