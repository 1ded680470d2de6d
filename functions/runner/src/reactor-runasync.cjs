// The module `reactor-runasync`, which published scripts require and the registry no longer has.
'use strict';

/** Run an async function: what it throws is logged, and `done()` is called in every case. */
module.exports = async function runAsync(run) {
  try {
    await run();
  } catch (error) {
    const said = error && (error.message || (Array.isArray(error.errors) && error.errors.join('; ')));
    global.logger.error(said || error);
  }
  global.done();
};
