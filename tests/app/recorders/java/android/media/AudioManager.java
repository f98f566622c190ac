package android.media;

import phone.Phone;

public class AudioManager {
    public static final int AUDIOFOCUS_GAIN = 1;
    public static final int AUDIOFOCUS_GAIN_TRANSIENT_EXCLUSIVE = 4;
    public static final int AUDIOFOCUS_LOSS = -1;
    public static final int AUDIOFOCUS_LOSS_TRANSIENT = -2;
    public static final int AUDIOFOCUS_LOSS_TRANSIENT_CAN_DUCK = -3;
    public static final int AUDIOFOCUS_REQUEST_FAILED = 0;
    public static final int AUDIOFOCUS_REQUEST_GRANTED = 1;
    public static final int MODE_NORMAL = 0;
    public static final int MODE_IN_CALL = 2;
    public static final int MODE_IN_COMMUNICATION = 3;
    public static final int STREAM_MUSIC = 3;
    public static final String PROPERTY_SUPPORT_AUDIO_SOURCE_UNPROCESSED =
            "android.media.property.SUPPORT_AUDIO_SOURCE_UNPROCESSED";

    public interface OnAudioFocusChangeListener {
        void onAudioFocusChange(int focusChange);
    }

    public int getMode() {
        return Phone.mode;
    }

    public String getProperty(String key) {
        return key.equals(PROPERTY_SUPPORT_AUDIO_SOURCE_UNPROCESSED) ? Phone.unprocessed : null;
    }

    public int requestAudioFocus(AudioFocusRequest focusRequest) {
        Phone.since(26);
        Phone.wrote("request focus " + focusRequest.gain);
        return granted(focusRequest.listener);
    }

    public int requestAudioFocus(
            OnAudioFocusChangeListener l, int streamType, int durationHint) {
        Phone.wrote("request focus " + durationHint + " of stream " + streamType);
        return granted(l);
    }

    public int abandonAudioFocusRequest(AudioFocusRequest focusRequest) {
        Phone.since(26);
        return abandonAudioFocus(focusRequest.listener);
    }

    public int abandonAudioFocus(OnAudioFocusChangeListener l) {
        Phone.wrote("abandon focus");
        Phone.setFocusListener(null);
        return AUDIOFOCUS_REQUEST_GRANTED;
    }

    private int granted(OnAudioFocusChangeListener listener) {
        if (!Phone.grantsFocus) return AUDIOFOCUS_REQUEST_FAILED;
        Phone.setFocusListener(listener);
        return AUDIOFOCUS_REQUEST_GRANTED;
    }
}
