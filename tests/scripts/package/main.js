const pad = require('pad-start-of-text');

module.exports.onActionCreated = ({ action }) => {
  logger.info(pad(action.customFields.number, 6));
  done();
};
