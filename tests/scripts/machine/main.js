// A state machine in properties: `command` makes it go from one `state` to the next.
const states = require('./states');

// @filter(onThngPropertiesChanged) propertyChangeNew.command=*
exports.onThngPropertiesChanged = async ({ thng, changes }) => {
  const state = thng.properties.state || 'idle';
  const next = states[state](changes.command.newValue);
  if (next !== state) {
    await app.thng(thng.id).property('state').update(next);
    logger.info(`${state} -> ${next}`);
  }
  done();
};
