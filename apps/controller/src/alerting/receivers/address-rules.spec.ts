import { describe, expect, it } from 'vitest';
import { mayConnect, refusedUrl } from './address-rules.js';

describe('addresses that a receiver may have', () => {
  it.each([
    ['hooks.example', '203.0.113.9', [], true],
    ['hooks.example', '2001:db8::1', [], true],
    ['hooks.example', '10.1.2.3', [], false],
    ['hooks.example', '127.0.0.1', [], false],
    ['hooks.example', '169.254.169.254', [], false],
    ['hooks.example', '::ffff:10.0.0.1', [], false],
    ['hooks.example', '::1', [], false],
    ['hooks.example', 'fe80::1', [], false],
    ['hooks.example', 'fd00::1', [], false],
    ['hooks.example', '10.1.2.3', ['hooks.example'], true],
    ['HOOKS.example.', '10.1.2.3', ['hooks.example'], true],
    ['hooks.example', '10.1.2.3', ['example'], false],
    ['127.0.0.1', '127.0.0.1', [], true],
    ['[::1]', '::1', [], true],
    ['localhost', '127.0.0.1', [], true],
    ['localhost', '10.0.0.1', [], false],
    ['10.1.2.3', '10.1.2.3', [], false],
  ])('%s at %s with %j: %s', (host, address, allowed, may) => {
    expect(mayConnect(host, address, allowed)).toBe(may);
  });

  it.each([
    ['http://169.254.169.254/latest/meta-data', /private or link-local/],
    ['http://0xA9FEA9FE/', /private or link-local/],
    ['http://10.0.0.1/', /allowPrivate/],
    ['ftp://hooks.example/', /http or https/],
  ])('%s is refused before anything is asked', (url, why) => {
    expect(refusedUrl(url, [])).toMatch(why);
  });

  it.each(['https://hooks.example/x', 'http://127.0.0.1:80/', 'http://2130706433/'])('%s may be asked', (url) => {
    expect(refusedUrl(url, [])).toBeNull();
  });
});
