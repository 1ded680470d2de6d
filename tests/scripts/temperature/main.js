const LIMIT = 8;

// @filter(onThngPropertiesChanged) propertyChangeNew.temperature>8
const onThngPropertiesChanged = (event) => {
  const { oldValue, newValue } = event.changes.temperature;
  if (oldValue > LIMIT) {
    logger.debug('still too warm');
    return done();
  }
  app.action('_TooWarm').create({ thng: event.thng.id, customFields: { temperature: newValue } })
    .then((action) => logger.warn(`${event.thng.name} has ${newValue} degrees: ${action.id}`))
    .then(done, (error) => { logger.error(error); done(); });
};
