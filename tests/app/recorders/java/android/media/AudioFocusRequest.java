package android.media;

import phone.Phone;

public final class AudioFocusRequest {
    final int gain;
    final AudioManager.OnAudioFocusChangeListener listener;

    AudioFocusRequest(int gain, AudioManager.OnAudioFocusChangeListener listener) {
        this.gain = gain;
        this.listener = listener;
    }

    public static final class Builder {
        private final int gain;
        private AudioManager.OnAudioFocusChangeListener listener;

        public Builder(int focusGain) {
            Phone.since(26);
            gain = focusGain;
        }

        public Builder setOnAudioFocusChangeListener(
                AudioManager.OnAudioFocusChangeListener listener) {
            Phone.since(26);
            this.listener = listener;
            return this;
        }

        public AudioFocusRequest build() {
            Phone.since(26);
            return new AudioFocusRequest(gain, listener);
        }
    }
}
