/**
 * A program of the demo that was started by another one ends with it, however that one ends: their channel closes
 * then. Loaded by the device programs, and into Node-RED by `--require`.
 */
if (process.channel !== undefined) {
  // As if a person had asked for it: every program of the demo knows how to end in good order.
  process.once('disconnect', () => process.emit('SIGTERM'));
  // The listener alone keeps no program alive.
  process.channel.unref();
}
