import { describe, expect, it } from 'vitest';

import { javaMajor, requireNode } from './requirements.js';

describe('requirements', () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['java version "1.8.0_392"', 8],
    ['openjdk version "21" 2023-09-19', 21],
    ['no such thing', 0],
  ])('reads the major version of %s', (output, major) => {
    expect(javaMajor(output)).toBe(major);
  });

  it.each(['20.19.0', '20.20.2', '22.1.0', '24.21.0'])('accepts Node %s', (version) => {
    expect(() => requireNode(version)).not.toThrow();
  });

  it.each(['18.20.0', '20.18.3'])('refuses Node %s with the command that helps', (version) => {
    expect(() => requireNode(version)).toThrow(/Node >= 20\.19.*nvm install 20/);
  });
});
