/** Life of an engine as its server sees it. */
export type InstanceState = 'Stopped' | 'AwaitFormat' | 'Starting' | 'Ready';

/** What moves an instance from one state to the next. */
export type InstanceEvent = 'start' | 'formatRequired' | 'storageReady' | 'ready' | 'exited';

/**
 * 1. `start`: storage is looked at, then the process is launched.
 * 2. `formatRequired`: the storage must be formatted first; `storageReady` goes on.
 * 3. `ready`: the engine has said so, has its rank and is set up.
 * 4. `exited`: the process is gone, or was never launched; from any state.
 */
const NEXT: Readonly<Record<InstanceState, Partial<Record<InstanceEvent, InstanceState>>>> = {
  Stopped: { start: 'Starting', exited: 'Stopped' },
  Starting: { formatRequired: 'AwaitFormat', ready: 'Ready', exited: 'Stopped' },
  AwaitFormat: { storageReady: 'Starting', exited: 'Stopped' },
  Ready: { exited: 'Stopped' },
};

/** The state after `event`; undefined when the event cannot happen in this state. */
export function nextInstanceState(state: InstanceState, event: InstanceEvent): InstanceState | undefined {
  return NEXT[state][event];
}
